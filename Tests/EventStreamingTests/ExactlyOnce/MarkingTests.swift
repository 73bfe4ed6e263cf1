import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import InMemoryLogging
import Logging
import Testing

/// The stages of exactly once by lock and mark: looking for marks, the lock, the handler, the mark with the settlement.
@Suite("Exactly once by lock and mark", .timeLimit(.minutes(5)))
struct MarkingTests {
    private let clock = ManualClock()
    private let store: FaultInjectingStore
    private let handled = Journal<Seen>()
    private let mail: ProcessorID

    init() throws {
        mail = try ProcessorID("mail")
        store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
    }

    private func makeMarking(
        handler: Bool = true,
        _ configure: (inout SubscriptionConfiguration) -> Void = { _ in },
        also: (inout EventStreamingBuilder) -> Void = { _ in }
    ) throws -> EventStreaming {
        try makeOrders(
            storage: .shared(store),
            clock: clock,
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.semantics = .exactlyOnce(.lockAndMark)
                if handler {
                    let handled = handled
                    subscription.handle { handled.add(Seen($0)) }
                }
                configure(&subscription)
            },
            also: also
        )
    }

    /// The ids of the stream's events, in order.
    private func ids(_ streaming: EventStreaming) async throws -> [MessageID] {
        try await streaming.read("order-events", limit: 1000).map(\.id)
    }

    private func marked(_ streaming: EventStreaming) async throws -> [Int] {
        let ids = try await ids(streaming)
        let marks = try await store.wasProcessed(ids, by: mail)
        return ids.indices.filter { marks.contains(ids[$0]) }
    }

    private func isFinished(_ streaming: EventStreaming) async throws -> Bool {
        try await streaming.position()?.isFinished == true
    }

    // MARK: - The stages

    @Test("what was handled is marked in the call that settles it, a hundred events at a time")
    func batches() async throws {
        try await withEventStreaming(try makeMarking { $0.prefetch = 1000 }) { streaming in
            try await streaming.place(0..<250)
            try await streaming.pass(clock, until: isFinished)
            #expect(handled.entries == (0..<250).seen)
            #expect(try await marked(streaming) == Array(0..<250))
            #expect(store.callCount(of: .claim) < 50)
            #expect(store.callCount(of: .markProcessed) == 0)
        }
    }

    @Test(
        "events that were processed before are passed over and finished, by a handler and by a loop",
        arguments: [true, false])
    func duplicates(isHandler: Bool) async throws {
        let streaming = try makeMarking(handler: isHandler)
        try await streaming.place(0..<6)
        let before = try await ids(streaming).enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
        _ = try await store.markProcessed(before, by: mail, at: nil)
        if isHandler {
            try await withEventStreaming(streaming) { try await $0.pass(clock, until: isFinished) }
            #expect(handled.entries == [1, 3, 5].seen)
        } else {
            #expect(try await streaming.take(3, as: "a") == [1, 3, 5].seen)
            #expect(try await isFinished(streaming))
        }
        #expect(try await marked(streaming) == Array(0..<6))
    }

    @Test("a loop marks what it acknowledges, and only that")
    func loop() async throws {
        let streaming = try makeMarking(handler: false)
        try await streaming.place(0..<4)
        var seen: [Seen] = []
        try await streaming.withSubscription(to: "mail", as: "a") { deliveries in
            for try await delivery in deliveries {
                seen.append(Seen(delivery))
                if delivery.number == 1 { try await delivery.reject(.deadLetter) }
                if delivery.number == 2 { return try await delivery.acknowledge() }
            }
        }
        #expect(seen == (0..<3).seen)
        #expect(try await marked(streaming) == [0, 2])
    }

    @Test("each consumer of a broadcast has marks of its own")
    func broadcast() async throws {
        let streaming = try makeMarking(handler: false) { $0.mode = .broadcast }
        try await streaming.place(0..<3)
        let ids = try await ids(streaming)
        _ = try await store.markProcessed(ids[1], by: try ProcessorID("mail/a"))
        #expect(try await streaming.take(2, as: "a") == [0, 2].seen)
        #expect(try await streaming.take(3, as: "b") == [0, 1, 2].seen)
        let marks = try await store.wasProcessed(ids, by: try ProcessorID("mail/b"))
        #expect(marks == Set(ids))
    }

    @Test("a failure is tried again, a poison event given up, and neither is marked before it is done")
    func failures() async throws {
        let handled = handled
        let streaming = try makeMarking(handler: false) { subscription in
            subscription.retry.maximumAttempts = 3
            subscription.maximumConcurrency = 3
            subscription.prefetch = 20
            subscription.handle { delivery in
                if delivery.number % 10 == 7 || (delivery.number % 10 == 3 && delivery.attempt == 1) {
                    throw Failure()
                }
                handled.add(Seen(delivery))
            }
        }
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(0..<60)
            try await streaming.pass(clock, until: isFinished)
            let letters = try await streaming.deadLetters(of: "mail")
            #expect(letters.map(\.event.offset.rawValue).sorted() == [7, 17, 27, 37, 47, 57])
            #expect(letters.allSatisfy { $0.attempts == 3 })
            #expect(try await marked(streaming) == (0..<60).filter { $0 % 10 != 7 })
        }
        #expect(handled.entries.map(\.number).sorted() == (0..<60).filter { $0 % 10 != 7 })
        #expect(handled.entries.allSatisfy { $0.number % 10 != 3 || $0.attempt == 2 })
    }

    @Test("a redriven dead letter loses its mark, and is handled again")
    func redrive() async throws {
        let (handled, breaks) = (handled, Tally())
        let streaming = try makeMarking(handler: false) { subscription in
            subscription.retry.maximumAttempts = 1
            subscription.handle { delivery in
                if breaks.value == 0, delivery.number == 1 { throw Failure() }
                handled.add(Seen(delivery))
            }
        }
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(0..<3)
            try await streaming.pass(clock, until: isFinished)
            // As if its effect had been made, and its lease had ended before.
            let letter = try #require(try await streaming.deadLetters(of: "mail").first)
            _ = try await store.markProcessed(letter.event.id, by: mail)
            breaks.add(1)
            #expect(try await streaming.redriveDeadLetters(of: "mail") == 1)
            try await streaming.pass(clock) { _ in handled.count == 3 }
            try await streaming.pass(clock, until: isFinished)
            #expect(try await marked(streaming) == [0, 1, 2])
        }
        #expect(handled.entries == [0, 2, 1].seen)
    }

    @Test("moving a position back repeats nothing, unless the marks are forgotten")
    func movedBack() async throws {
        let handled = handled
        try await withEventStreaming(try makeMarking()) { streaming in
            try await streaming.place(0..<3)
            try await streaming.pass(clock, until: isFinished)
            try await streaming.setPosition(of: "mail", to: .beginning)
            try await streaming.pass(clock, until: isFinished)
            #expect(handled.entries == (0..<3).seen)
            let second = try await ids(streaming)[1]
            #expect(try await streaming.forgetProcessed(by: "mail", [second]) == 1)
            try await streaming.setPosition(of: "mail", to: .beginning)
            try await streaming.pass(clock) { _ in handled.count == 4 }
            #expect(handled.entries.last == Seen(1))
        }
    }

    // MARK: - Locks

    @Test("who finds the lock taken waits until it ends")
    func contention() async throws {
        let streaming = try makeMarking()
        try await streaming.place(0..<3)
        let key = IdempotencyKey(processing: .zero..<StreamOffset(10), by: mail)
        #expect(try await store.tryAcquireLocks([key], for: .seconds(20)).count == 1)
        let began = clock.uptime
        try await withEventStreaming(streaming) { try await $0.pass(clock, until: isFinished) }
        #expect(clock.uptime - began >= .seconds(20))
        #expect(handled.entries == (0..<3).seen)
        #expect(store.callCount(of: .claim) > 3)
    }

    @Test("a lock that is given back early is taken soon")
    func givenBack() async throws {
        let streaming = try makeMarking()
        try await streaming.place(0..<3)
        let key = IdempotencyKey(processing: .zero..<StreamOffset(10), by: mail)
        let locks = try await store.tryAcquireLocks([key], for: .seconds(3600))
        let (began, store) = (clock.uptime, store)
        try await withEventStreaming(streaming) { streaming in
            try await streaming.pass(clock) { _ in store.callCount(of: .claim) >= 2 }
            _ = try await store.releaseLocks(locks)
            try await streaming.pass(clock, until: isFinished)
        }
        #expect(clock.uptime - began < .seconds(10))
        #expect(handled.entries == (0..<3).seen)
    }

    @Test("a lock that does not end gives the events back, and counts as an attempt")
    func neverEnds() async throws {
        let streaming = try makeMarking { $0.retry.maximumAttempts = 2 }
        try await streaming.place(0..<2)
        let key = IdempotencyKey(processing: .zero..<StreamOffset(10), by: mail)
        _ = try await store.tryAcquireLocks([key], for: .seconds(86_400))
        try await withEventStreaming(streaming) { try await $0.pass(clock, until: isFinished) }
        #expect(handled.count == 0)
        let letters = try await streaming.deadLetters(of: "mail")
        #expect(letters.map(\.attempts) == [2, 2])
    }

    // MARK: - Configuration

    @Test("the transactional form needs a store with transactions, and says what to use instead")
    func noTransactions() {
        #expect {
            _ = try makeOrders(mail: { subscription in
                subscription.mode = .exclusive
                subscription.semantics = .exactlyOnce
                subscription.handleInTransaction { _, _ in }
            })
        } throws: { error in
            let error = error as? EventStreamingError
            return error?.code == .unsupported && error?.message.contains(".exactlyOnce(.lockAndMark)") == true
        }
    }

    @Test("what exactly once means is said when the service starts")
    func announced() async throws {
        var handler = InMemoryLogHandler()
        handler.logLevel = .info
        let copy = handler
        let streaming = try makeMarking(also: { $0.options.logger = Logger(label: "test") { _ in copy } })
        try await withEventStreaming(streaming) { _ in }
        let entry = try #require(handler.entries.first { "\($0.message)".hasPrefix("Exactly once by lock and mark") })
        #expect(entry.metadata["subscription"] == "mail")
        #expect("\(entry.message)".contains("a crash between an effect and the mark repeats the effect"))
    }
}
