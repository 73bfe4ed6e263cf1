import EventStreaming
import EventStreamingSQLite
import EventStreamingTesting
import GRDB
import Synchronization
import Testing

private struct OrderWorkflow: Workflow {}

private struct OrderPlaced: Event {
    typealias Process = OrderWorkflow
    var number: Int
}

private struct InvoiceWorkflow: Workflow {}

private struct InvoiceWritten: Event {
    typealias Process = InvoiceWorkflow
    var order: Int
}

/// Exactly once in transactions: a handler's rows, the mark and the position are committed together.
@Suite("Exactly once in transactions", .timeLimit(.minutes(5)))
struct ExactlyOnceTests {
    private struct Refusal: Error {}

    /// A service in a file of its own, and what it is tested with.
    private struct Bench: Sendable {
        let store: SQLiteEventStreamStore
        let faults: FaultInjectingStore

        init(folder: String) async throws {
            store = try SQLiteEventStreamStore(path: folder + "/events.sqlite")
            faults = FaultInjectingStore(wrapping: store)
            try await store.withSQLiteTransaction { transaction in
                try transaction.database.execute(sql: "CREATE TABLE effects (number INTEGER NOT NULL)")
            }
        }

        func makeService(
            _ configure: (inout SubscriptionConfiguration) -> Void,
            also: (inout EventStreamingBuilder) -> Void = { _ in }
        ) throws -> EventStreaming {
            let faults = faults
            return try EventStreaming(storage: EventStreamingStorage { _ in faults }) { streaming in
                streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
                streaming.addStream(InvoiceWorkflow.self) { $0.type = .persistent }
                streaming.addSubscription("billing") { subscription in
                    subscription.stream(OrderWorkflow.self)
                    subscription.mode = .exclusive
                    subscription.semantics = .exactlyOnce
                    subscription.include(OrderPlaced.self)
                    subscription.retry.initialDelay = .milliseconds(1)
                    configure(&subscription)
                }
                also(&streaming)
            }
        }

        func effects() async throws -> [Int] {
            try await store.withSQLiteTransaction { transaction in
                try Int.fetchAll(transaction.database, sql: "SELECT number FROM effects ORDER BY number")
            }
        }

        func marked(_ streaming: EventStreaming) async throws -> Set<Int64> {
            let events = try await streaming.read("order-events", limit: 1000)
            let marks = try await store.wasProcessed(events.map(\.id), by: try ProcessorID("billing"))
            return Set(events.filter { marks.contains($0.id) }.map(\.offset.rawValue))
        }
    }

    private static func insert(_ number: Int, _ transaction: any StoreTransaction) throws {
        try transaction.sqlite.database.execute(sql: "INSERT INTO effects VALUES (?)", arguments: [number])
    }

    private func withBench(_ body: (Bench) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in try await body(try await Bench(folder: folder)) }
    }

    private func place(_ numbers: Range<Int>, in streaming: EventStreaming) async throws {
        try await streaming.emitter.emit(numbers.map { OrderPlaced(number: $0) })
    }

    // MARK: - Handlers

    @Test("rows, marks and the position are committed a hundred events at a time")
    func batches() async throws {
        try await withBench { bench in
            let streaming = try bench.makeService { subscription in
                subscription.prefetch = 1000
                subscription.handleInTransaction(OrderPlaced.self) { order, _, transaction in
                    try Self.insert(order.number, transaction)
                }
            }
            try await withEventStreaming(streaming) { streaming in
                try await place(0..<250, in: streaming)
                try await streaming.settled()
                #expect(try await bench.marked(streaming).count == 250)
            }
            #expect(try await bench.effects() == Array(0..<250))
            #expect(bench.faults.callCount(of: .transaction) < 50)
        }
    }

    @Test("a handler that fails takes only its own event with it, and its rows are rolled back")
    func failures() async throws {
        try await withBench { bench in
            let streaming = try bench.makeService { subscription in
                subscription.retry.maximumAttempts = 3
                subscription.maximumConcurrency = 3
                subscription.handleInTransaction(OrderPlaced.self) { order, delivery, transaction in
                    try Self.insert(order.number, transaction)
                    if order.number % 20 == 7 { throw Refusal() }
                    if order.number % 20 == 13, delivery.attempt == 1 { throw Refusal() }
                }
            }
            try await withEventStreaming(streaming) { streaming in
                try await place(0..<100, in: streaming)
                try await streaming.settled()
                let letters = try await streaming.deadLetters(of: "billing")
                #expect(letters.map(\.event.offset.rawValue).sorted() == [7, 27, 47, 67, 87])
                #expect(letters.allSatisfy { $0.attempts == 3 })
            }
            #expect(try await bench.effects() == (0..<100).filter { $0 % 20 != 7 })
        }
    }

    @Test("events that were processed before are finished without their handler")
    func duplicates() async throws {
        try await withBench { bench in
            let streaming = try bench.makeService { subscription in
                subscription.handleInTransaction(OrderPlaced.self) { order, _, transaction in
                    try Self.insert(order.number, transaction)
                }
            }
            try await place(0..<6, in: streaming)
            let ids = try await streaming.read("order-events").map(\.id)
            _ = try await bench.store.markProcessed([ids[1], ids[4]], by: try ProcessorID("billing"), at: nil)
            try await withEventStreaming(streaming) { try await $0.settled() }
            #expect(try await bench.effects() == [0, 2, 3, 5])
        }
    }

    @Test("an event that is redriven is processed again, though it was marked")
    func redrive() async throws {
        try await withBench { bench in
            let isBroken = Atomic(true)
            let streaming = try bench.makeService { subscription in
                subscription.retry.maximumAttempts = 1
                subscription.handleInTransaction(OrderPlaced.self) { order, _, transaction in
                    if order.number == 1, isBroken.load(ordering: .relaxed) { throw Refusal() }
                    try Self.insert(order.number, transaction)
                }
            }
            try await withEventStreaming(streaming) { streaming in
                try await place(0..<3, in: streaming)
                try await streaming.settled()
                let letter = try #require(try await streaming.deadLetters(of: "billing").first)
                _ = try await bench.store.markProcessed(letter.event.id, by: try ProcessorID("billing"))
                isBroken.store(false, ordering: .relaxed)
                #expect(try await streaming.redriveDeadLetters(of: "billing") == 1)
                try await streaming.settled()
            }
            #expect(try await bench.effects() == [0, 1, 2])
        }
    }

    @Test("moving a position back repeats no effect, unless the marks are forgotten")
    func movedBack() async throws {
        try await withBench { bench in
            let streaming = try bench.makeService { subscription in
                subscription.handleInTransaction(OrderPlaced.self) { order, _, transaction in
                    try Self.insert(order.number, transaction)
                }
            }
            try await withEventStreaming(streaming) { streaming in
                try await place(0..<3, in: streaming)
                try await streaming.settled()
                try await streaming.setPosition(of: "billing", to: .beginning)
                try await streaming.settled()
                #expect(try await bench.effects() == [0, 1, 2])
                #expect(try await streaming.forgetProcessed(by: "billing") == 3)
                try await streaming.setPosition(of: "billing", to: .beginning)
                try await streaming.settled()
            }
            #expect(try await bench.effects() == [0, 0, 1, 1, 2, 2])
        }
    }

    @Test("what a handler appends in the transaction is emitted once for each event")
    func derivedEvents() async throws {
        try await withBench { bench in
            let ids = MessageIDGenerator(clock: SystemClock())
            let invoices = try StreamName("invoice-events")
            let streaming = try bench.makeService { subscription in
                subscription.handleInTransaction(OrderPlaced.self) { order, delivery, transaction in
                    let bytes = Array(#"{"order":\#(order.number)}"#.utf8)
                    let invoice = NewEvent(
                        id: ids.next(), type: EventType(InvoiceWritten.self), payload: .encoded(bytes),
                        size: bytes.count)
                    _ = try transaction.append(StreamAppend(stream: invoices, events: [invoice]))
                    if delivery.attempt == 1, order.number % 3 == 0 { throw Refusal() }
                }
            }
            bench.faults.fail(.transaction, with: Self.lost, on: .every(3), effect: .after)
            try await withEventStreaming(streaming) { streaming in
                try await place(0..<40, in: streaming)
                try await streaming.settled()
                #expect(try await streaming.metadata(of: "invoice-events").count == 40)
            }
        }
    }

    // MARK: - Failures of the store

    private static let lost = EventStreamingError(.storeUnavailable, "the answer was lost")

    @Test(
        "a transaction whose outcome is unknown is made once",
        arguments: [FaultInjectingStore.Effect.before, .after],
        [FaultInjectingStore.Operation.transaction, .settle, .dequeue]
    )
    func unknownOutcome(
        _ effect: FaultInjectingStore.Effect,
        _ operation: FaultInjectingStore.Operation
    ) async throws {
        try await withBench { bench in
            let streaming = try bench.makeService { subscription in
                subscription.prefetch = 20
                subscription.maximumConcurrency = 2
                subscription.visibilityTimeout = .milliseconds(500)
                subscription.retry.maximumAttempts = 100
                subscription.handleInTransaction(OrderPlaced.self) { order, _, transaction in
                    try Self.insert(order.number, transaction)
                }
            }
            bench.faults.fail(operation, with: Self.lost, on: .nextCalls(4), effect: effect)
            try await withEventStreaming(streaming) { streaming in
                try await place(0..<60, in: streaming)
                try await streaming.settled()
            }
            #expect(try await bench.effects() == Array(0..<60))
        }
    }

    // MARK: - Loops

    @Test("in a loop only a transaction finishes an event, and it does so once")
    func loop() async throws {
        try await withBench { bench in
            let streaming = try bench.makeService { _ in }
            try await place(0..<3, in: streaming)
            try await streaming.withSubscription(to: "billing", as: "biller") { deliveries in
                var count = 0
                for try await delivery in deliveries {
                    await #expect(throws: EventStreamingError.self) { try await delivery.acknowledge() }
                    try await delivery.acknowledge { try Self.insert(Int(delivery.record.offset.rawValue), $0) }
                    count += 1
                    if count == 3 { return }
                }
            }
            let error = await storeError {
                try await place(3..<4, in: streaming)
                for try await _ in try streaming.subscribe(to: "billing", as: "careless") {}
            }
            #expect(error?.code == .unsupported)
            #expect(try await bench.effects() == [0, 1, 2])
        }
    }

    @Test("a second consumer that has the same event in hand writes nothing")
    func secondConsumer() async throws {
        try await withBench { bench in
            let streaming = try bench.makeService { _ in }
            try await place(0..<1, in: streaming)
            try await streaming.withSubscription(to: "billing", as: "biller") { deliveries in
                for try await delivery in deliveries {
                    // Somebody who had it before comes first.
                    let id = delivery.record.id
                    try await bench.store.withSQLiteTransaction { transaction in
                        _ = try transaction.markProcessed([id], by: try ProcessorID("billing"))
                        try Self.insert(0, transaction)
                    }
                    let error = await storeError {
                        try await delivery.acknowledge { try Self.insert(0, $0) }
                    }
                    #expect(error?.code == .alreadySettled)
                    return
                }
            }
            #expect(try await bench.effects() == [0])
            #expect(try await streaming.progress(of: "billing").map(\.isFinished) == [true])
        }
    }
}
