import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Dead letters for operators", .timeLimit(.minutes(5)))
struct DeadLetterOperationsTests {
    private static let note = AuditNote(by: "ada", because: "fixed in 1.4")

    private let clock = ManualClock()
    private let store: FaultInjectingStore

    init() {
        store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
    }

    private func makeService() throws -> EventStreaming {
        try makeOrders(storage: .shared(store), clock: clock, mail: { $0.mode = .exclusive })
    }

    /// Gives up the next events of `mail`, one for each reason.
    private func giveUp(_ reasons: [String], in streaming: EventStreaming) async throws {
        var left = reasons[...]
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            if let reason = left.popFirst() {
                try await delivery.reject(.deadLetter, reason: reason)
            }
            if left.isEmpty { break }
        }
    }

    private func placeAndGiveUp(_ numbers: Range<Int>, in streaming: EventStreaming) async throws {
        try await streaming.place(numbers)
        try await giveUp(numbers.map { $0.isMultiple(of: 3) ? "Card declined" : "timed out" }, in: streaming)
    }

    private func open(_ streaming: EventStreaming) async throws -> [Int64] {
        try await streaming.deadLetters(of: "mail", limit: 10_000).map(\.number.rawValue)
    }

    @Test("a filter names them by type, consumer, reason, workflow, time, attempts and number")
    func filters() async throws {
        let streaming = try makeService()
        try await streaming.emitter.emit(OrderPlaced(number: 1), in: WorkflowID("order-1"))
        try await streaming.emitter.emit(OrderShipped(number: 1), in: WorkflowID("order-1"))
        try await giveUp(["Card declined", "timed out"], in: streaming)
        let between = clock.now + .seconds(1)
        clock.advance(by: .seconds(5))
        try await streaming.emitter.emit(OrderPlaced(number: 2), in: WorkflowID("order-2"))
        try await giveUp(["card DECLINED again"], in: streaming)
        let cases: [(DeadLetterFilter, [Int64])] = [
            (DeadLetterFilter(), [0, 1, 2]),
            (DeadLetterFilter(eventTypes: [OrderShipped.eventType]), [1]),
            (DeadLetterFilter(eventTypes: []), []),
            (DeadLetterFilter(consumers: ["a"]), []),
            (DeadLetterFilter(reason: "declined"), [0, 2]),
            (DeadLetterFilter(reason: ""), [0, 1, 2]),
            (DeadLetterFilter(workflow: try WorkflowID("order-1")), [0, 1]),
            (DeadLetterFilter(lastFailure: between..<between + .seconds(100)), [2]),
            (DeadLetterFilter(attempts: 1...1), [0, 1, 2]),
            (DeadLetterFilter(attempts: 2...9), []),
            (.numbers(StreamOffset(0), StreamOffset(2), StreamOffset(.max)), [0, 2]),
            (DeadLetterFilter(numbers: []), []),
            (DeadLetterFilter(eventTypes: [OrderPlaced.eventType], reason: "again"), [2]),
        ]
        for (filter, expected) in cases {
            let page = try await streaming.deadLetters(of: "mail", matching: filter)
            #expect(page.letters.map(\.number.rawValue) == expected, "\(filter)")
            #expect(page.next == nil, "\(filter)")
            let preview = try await streaming.preview(streaming.selectDeadLetters(of: "mail", matching: filter))
            #expect(preview.count == expected.count, "\(filter)")
        }
    }

    @Test("pages go on where the last one ended, also where few match")
    func pages() async throws {
        let streaming = try makeService()
        try await placeAndGiveUp(0..<250, in: streaming)
        let filter = DeadLetterFilter(reason: "card")
        var seen: [Int64] = []
        var next: StreamOffset? = .zero
        while let start = next {
            let page = try await streaming.deadLetters(of: "mail", matching: filter, from: start, limit: 7)
            #expect(page.letters.count <= 7)
            seen += page.letters.map(\.number.rawValue)
            next = page.next
        }
        #expect(seen == (0..<250).filter { $0.isMultiple(of: 3) })
    }

    @Test("a page looks at so many dead letters and no more")
    func boundedPage() async throws {
        let streaming = try makeService()
        try await placeAndGiveUp(0..<1200, in: streaming)
        let page = try await streaming.deadLetters(of: "mail", matching: DeadLetterFilter(reason: "nothing"))
        #expect(page.letters.isEmpty)
        #expect(page.next == StreamOffset(1000))
    }

    @Test("one is shown with its payload as JSON, and whether it can be redriven")
    func details() async throws {
        let streaming = try makeService()
        try await placeAndGiveUp(0..<2, in: streaming)
        let details = try #require(try await streaming.deadLetter(StreamOffset(1), of: "mail"))
        #expect(details.letter.reason == "timed out")
        #expect(details.payload == .json(#"{"note":"","number":1}"#))
        #expect(details.decodingError == nil)
        #expect(details.isRedrivable)
        #expect(try await streaming.deadLetter(StreamOffset(2), of: "mail") == nil)
    }

    @Test("one that cannot be read is shown as what it is", arguments: ["{\"number\": true}", "\u{1}\u{2}"])
    func unreadable(_ text: String) async throws {
        let streaming = try makeService()
        try await streaming.place([1])
        let bytes = Array(text.utf8)
        let type = EventType(name: OrderPlaced.eventType, version: OrderPlaced.version)
        let event = NewEvent(
            id: MessageIDGenerator(clock: clock).next(), type: type, payload: .encoded(bytes), size: bytes.count,
            context: .empty)
        _ = try await store.enqueue([event], to: StreamName("order-events"))
        let consumer = try await store.registerConsumer(
            ConsumerID("b"), of: SubscriptionID("mail"), kind: .durable, start: nil)
        guard case .lease(let lease) = try await store.dequeue(as: consumer, limit: 2), lease.events.count == 2 else {
            Issue.record("The events were not delivered.")
            return
        }
        try await store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "unreadable")
        let details = try #require(try await streaming.deadLetter(StreamOffset(1), of: "mail"))
        #expect(details.payload == (text.hasPrefix("{") ? .json(text) : .bytes(bytes)))
        #expect(details.decodingError != nil)
    }

    @Test("a dry run says what would be done, and does nothing")
    func dryRun() async throws {
        let streaming = try makeService()
        try await placeAndGiveUp(0..<250, in: streaming)
        let selection = try await streaming.selectDeadLetters(of: "mail")
        let preview = try await streaming.preview(selection)
        #expect(preview.count == 250)
        #expect(preview.redrivable == 250)
        #expect(preview.eventTypes == [OrderPlaced.eventType: 250])
        #expect(preview.reasons == ["Card declined": 84, "timed out": 166])
        #expect(preview.sample.count == DeadLetterPreview.sampleSize)
        #expect(preview.firstFailure == clock.now)
        #expect(preview.lastFailure == clock.now)
        #expect(try await open(streaming).count == 250)
        #expect(try await streaming.deadLetterAudit(of: "mail").isEmpty)
        #expect(try await streaming.redrive(selection, by: Self.note).done == 250)
        let empty = try await streaming.preview(selection)
        #expect(empty.count == 0 && empty.firstFailure == nil)
    }

    @Test("a preview counts no more reasons apart than it may")
    func manyReasons() async throws {
        let streaming = try makeService()
        try await streaming.place(0..<120)
        try await giveUp((0..<120).map { "reason \($0)" }, in: streaming)
        let preview = try await streaming.preview(streaming.selectDeadLetters(of: "mail"))
        #expect(preview.reasons.count == DeadLetterPreview.maximumReasons)
        #expect(preview.otherReasons == 20)
    }

    @Test("what is given up after the cut-off is not touched, not even what was redriven and failed again")
    func cutOff() async throws {
        let streaming = try makeService()
        try await placeAndGiveUp(0..<3, in: streaming)
        let selection = try await streaming.selectDeadLetters(of: "mail")
        try await placeAndGiveUp(3..<5, in: streaming)
        #expect(try await streaming.redrive(selection, by: Self.note).done == 3)
        try await giveUp(["again", "again", "again"], in: streaming)
        #expect(try await streaming.redrive(selection, by: Self.note).done == 0)
        #expect(try await streaming.discard(selection, by: Self.note).done == 0)
        #expect(try await open(streaming) == [3, 4, 5, 6, 7])
    }

    @Test(
        "redrives and discards by filter leave the others alone, and tell how far they are", arguments: [true, false])
    func byFilter(isRedrive: Bool) async throws {
        let streaming = try makeService()
        try await placeAndGiveUp(0..<250, in: streaming)
        let selection = try await streaming.selectDeadLetters(
            of: "mail", matching: DeadLetterFilter(reason: "card declined"))
        let reports = Journal<DeadLetterProgress>()
        let result =
            isRedrive
            ? try await streaming.redrive(selection, by: Self.note) { reports.add($0) }
            : try await streaming.discard(selection, by: Self.note) { reports.add($0) }
        #expect(result.examined == 250)
        #expect(result.matching == 84)
        #expect(result.done == 84)
        #expect(result.isFinished)
        #expect(result.next == StreamOffset(250))
        #expect(reports.entries.last == result)
        #expect(reports.count > 2)
        #expect(
            zip(reports.entries, reports.entries.dropFirst()).allSatisfy { $0.done <= $1.done && $0.next <= $1.next })
        #expect(try await open(streaming) == (0..<250).filter { !$0.isMultiple(of: 3) })
        let position = try #require(try await streaming.position())
        #expect(position.waiting == (isRedrive ? 84 : 0))
        #expect(position.deadLetters == 166)
        let audit = try await streaming.deadLetterAudit(of: "mail", limit: 1000)
        #expect(audit.map(\.deadLetter.rawValue) == (0..<250).filter { $0.isMultiple(of: 3) })
        #expect(audit.allSatisfy { $0.action == (isRedrive ? .redriven : .discarded) && $0.note == Self.note })
    }

    @Test(
        "goes on with the same selection after an outage in the middle, and does nothing twice",
        arguments: [FaultInjectingStore.Effect.before, .after], [true, false]
    )
    func resumes(_ effect: FaultInjectingStore.Effect, isRedrive: Bool) async throws {
        let streaming = try makeService()
        try await placeAndGiveUp(0..<350, in: streaming)
        let operation = isRedrive ? FaultInjectingStore.Operation.redrive : .discard
        let unavailable = EventStreamingError(.storeUnavailable, "not now")
        let selection = try await streaming.selectDeadLetters(of: "mail")
        store.fail(operation, with: unavailable, on: .every(2), effect: effect)
        var done = 0
        var interruptions = 0
        while true {
            let reports = Journal<DeadLetterProgress>()
            do {
                let result =
                    isRedrive
                    ? try await streaming.redrive(selection, by: Self.note) { reports.add($0) }
                    : try await streaming.discard(selection, by: Self.note) { reports.add($0) }
                done += result.done
                break
            } catch {
                #expect(error.code == .storeUnavailable)
                done += reports.entries.last?.done ?? 0
                interruptions += 1
            }
        }
        #expect(interruptions > 0)
        // Where only the answer was lost, more was done than was told.
        #expect(effect == .before ? done == 350 : done < 350)
        #expect(try await open(streaming).isEmpty)
        let audit = try await streaming.deadLetterAudit(of: "mail", limit: 1000)
        #expect(audit.map(\.deadLetter.rawValue) == Array(0..<350))
        #expect(try await streaming.position()?.waiting == (isRedrive ? 350 : 0))
    }

    @Test("a cancelled redrive stops between two transactions")
    func cancelled() async throws {
        let streaming = try makeService()
        try await placeAndGiveUp(0..<350, in: streaming)
        let selection = try await streaming.selectDeadLetters(of: "mail")
        let task = Task {
            try await streaming.redrive(selection, by: Self.note) { _ in
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        let code = await errorCode { _ = try await task.value }
        #expect(code == .cancelled)
        #expect(try await open(streaming).count == 250)
    }

    @Test("a note that cannot be kept, an unknown subscription and bad limits are refused")
    func refused() async throws {
        let streaming = try makeService()
        try await placeAndGiveUp(0..<2, in: streaming)
        let selection = try await streaming.selectDeadLetters(of: "mail")
        let nobody = AuditNote(by: "", because: "")
        #expect(await errorCode { try await streaming.redrive(selection, by: nobody) } == .invalidArgument)
        let unknown = DeadLetterSelection(
            subscription: try SubscriptionID("nothing"), filter: DeadLetterFilter(), end: StreamOffset(9))
        #expect(await errorCode { try await streaming.discard(unknown, by: Self.note) } == .unknownSubscription)
        #expect(await errorCode { _ = try await streaming.preview(unknown) } == .unknownSubscription)
        #expect(await errorCode { _ = try await streaming.selectDeadLetters(of: "nothing") } == .unknownSubscription)
        #expect(await errorCode { _ = try await streaming.deadLetterAudit(of: "mail", limit: 0) } == .invalidArgument)
        #expect(
            await errorCode {
                _ = try await streaming.deadLetters(of: "mail", matching: DeadLetterFilter(), limit: 10_001)
            } == .invalidArgument)
        #expect(try await open(streaming).count == 2)
    }
}
