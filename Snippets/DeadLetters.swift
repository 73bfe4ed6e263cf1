// Dead letters: looking at them, trying in dry runs, redriving, discarding, and who did what.
import EventStreaming
import Synchronization

struct OrderWorkflow: Workflow {}

struct OrderPlaced: Event {
    typealias Process = OrderWorkflow
    var number: Int
}

struct CardDeclined: Error {}

/// Whether the payments' service is there.
let isMended = Atomic(false)

let streaming = try EventStreaming { streaming in
    streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
    streaming.addSubscription("payments") { subscription in
        subscription.stream(OrderWorkflow.self)
        subscription.mode = .exclusive
        subscription.retry.maximumAttempts = 1
        subscription.handle(OrderPlaced.self) { _, _ in
            guard isMended.load(ordering: .relaxed) else { throw CardDeclined() }
        }
    }
}

func look(_ streaming: EventStreaming) async throws {
    var next: StreamOffset? = .zero
    while let start = next {
        let page = try await streaming.deadLetters(
            of: "payments",
            matching: DeadLetterFilter(eventTypes: ["OrderPlaced"], reason: "declined"),
            from: start
        )
        for letter in page.letters {
            print("\(letter.number): \(letter.event.type), \(letter.attempts) attempts, \(letter.reason)")
        }
        next = page.next
    }
    if let details = try await streaming.deadLetter(.zero, of: "payments"), case .json(let text) = details.payload {
        print(text, details.isRedrivable ? "can be redriven" : "cannot be redriven", details.decodingError ?? "")
    }
}

func mend(_ streaming: EventStreaming) async throws {
    let selection = try await streaming.selectDeadLetters(
        of: "payments",
        matching: DeadLetterFilter(reason: "declined")
    )
    let preview = try await streaming.preview(selection)
    print("would redrive \(preview.redrivable) of \(preview.count): \(preview.reasons)")
    let result = try await streaming.redrive(selection, by: AuditNote(by: "ada", because: "the card service is back")) {
        print("\($0.done) redriven, everything before \($0.next) is done")
    }
    print("\(result.done) redriven")
}

func giveUp(_ streaming: EventStreaming) async throws {
    let tests = try await streaming.selectDeadLetters(of: "payments", matching: .numbers(StreamOffset(0)))
    try await streaming.discard(tests, by: AuditNote(by: "grace", because: "a test order"))
    for entry in try await streaming.deadLetterAudit(of: "payments") {
        print("\(entry.time) \(entry.note.actor) \(entry.action) \(entry.deadLetter): \(entry.note.reason)")
    }
}

try await withEventStreaming(streaming) { streaming in
    for number in 1...5 {
        try await streaming.emitter.emit(OrderPlaced(number: number))
    }
    while try await streaming.progress(of: "payments").contains(where: { $0.deadLetters < 5 }) {
        await Task.yield()
    }
    try await look(streaming)
    try await giveUp(streaming)
    isMended.store(true, ordering: .relaxed)
    try await mend(streaming)
    while try await !streaming.progress(of: "payments").allSatisfy(\.isFinished) {
        await Task.yield()
    }
    let left = try await streaming.deadLetters(of: "payments")
    precondition(left.isEmpty)
}
