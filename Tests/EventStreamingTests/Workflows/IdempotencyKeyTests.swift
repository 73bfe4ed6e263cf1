import CQRS
import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

private struct BookOrder: Command, Codable {
    typealias Response = Booking
    var number: Int
    var note = ""
}

private struct Booking: Codable, Equatable {
    var workflow: String
    var text: String
}

private struct CancelOrder: WorkflowCommand, Codable {
    var workflowID: WorkflowID?
    var number: Int
}

/// In a workflow of nobody.
private struct Ask: Command, Codable {
    typealias Response = Int
}

@Suite("Commands with an idempotency key", .timeLimit(.minutes(5)))
struct IdempotencyKeyTests {
    private let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore())
    /// What the handlers have done.
    private let journal = Journal<Int>()
    private let unavailable = EventStreamingError(.storeUnavailable, "The answer is lost.")

    private typealias Handle = @Sendable (BookOrder, inout WorkflowContext<OrderWorkflow>) async throws -> Booking

    private func service(
        _ handle: Handle? = nil,
        also configure: (inout EventStreamingBuilder) throws -> Void = { _ in }
    ) throws -> EventStreaming {
        let (store, journal) = (store, journal)
        return try Workbench.service(storage: EventStreamingStorage { _ in store }) { streaming in
            streaming.commands.on(BookOrder.self, in: OrderWorkflow.self) { command, workflow in
                journal.add(command.number)
                if let handle { return try await handle(command, &workflow) }
                workflow.emit(OrderPlaced(number: command.number))
                workflow.emit(OrderShipped(number: command.number))
                return Booking(workflow: workflow.id.rawValue, text: "number \(journal.count)")
            }
            streaming.commands.on(CancelOrder.self, in: OrderWorkflow.self) { command, workflow in
                journal.add(-command.number)
                workflow.emit(OrderPlaced(number: -command.number, note: "\(workflow.isNew)"))
            }
            streaming.commands.on(Ask.self) { _ in
                journal.add(0)
                return 1
            }
            try configure(&streaming)
        }
    }

    private func count(_ streaming: EventStreaming) async throws -> Int {
        Int(try await streaming.metadata(of: Workbench.orders).head.rawValue)
    }

    // MARK: - Once

    @Test("Sent again, a command changes nothing and gets the first response, from another service too")
    func again() async throws {
        let services = try (0..<2).map { _ in try service() }
        let first = try await services[0].commands.send(BookOrder(number: 7), idempotencyKey: "order-1")
        #expect(first.text == "number 1")
        for streaming in services + services {
            #expect(try await streaming.commands.send(BookOrder(number: 7), idempotencyKey: "order-1") == first)
        }
        #expect(journal.entries == [7])
        #expect(try await count(services[0]) == 2)
        // Without the key, or with another, it is another command.
        _ = try await services[0].commands.send(BookOrder(number: 7))
        _ = try await services[0].commands.send(BookOrder(number: 7), idempotencyKey: "order-2")
        #expect(journal.entries == [7, 7, 7])
    }

    @Test("The ids follow from the name and the key, as anybody can compute them")
    func ids() async throws {
        let streaming = try service()
        let booking = try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "order-1")
        _ = try await streaming.commands.send(
            BookOrder(number: 1),
            idempotencyKey: String(repeating: "\u{E9}", count: 127)
        )
        let events = try await streaming.read(Workbench.orders)
        #expect(booking.workflow == "00361dbe-8dcb-8f1e-9560-93b5ddd07d70")
        #expect(events.map(\.correlationID?.rawValue).prefix(2) == [booking.workflow, booking.workflow])
        #expect(events.map(\.causationID?.description).prefix(2) == [booking.workflow, booking.workflow])
        #expect(
            events.map(\.id.description).prefix(3) == [
                "00065063-d97e-8aec-8dad-8ea352d2c2b2", "0066010b-16c9-825b-8667-19fad6e85ee2",
                "00897d9d-6aef-887a-82db-f7149d83143b",
            ])
        let hash = "1d90b73eedabda718405f4506b21995cdd6b098c192c66bc0d82411270a7a6fc"
        #expect(events.map { $0.headers["idempotency-command"] == nil } == [false, true, false, true])
        let headers = try #require(events.first?.headers)
        #expect(headers["idempotency-response"]?.contains(booking.workflow) == true)
        // That of {"note":"","number":1}.
        #expect(headers["idempotency-command"] == hash)
    }

    @Test("A response may hold any text")
    func anyText() async throws {
        let text = "a\u{7F}b\u{0}\n\"\\u007f\\\u{7F}\u{1F9D1}\u{200D}\u{2028}"
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            return Booking(workflow: "w", text: text)
        }
        for _ in 1...2 {
            let booking = try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k")
            #expect(Array(booking.text.utf8) == Array(text.utf8))
        }
        #expect(journal.count == 1)
    }

    @Test("A command without a response, that continues a workflow")
    func continued() async throws {
        let streaming = try service()
        for _ in 1...3 {
            try await streaming.commands.send(
                CancelOrder(workflowID: WorkflowID("order-4711"), number: 1),
                idempotencyKey: "k"
            )
        }
        let events = try await streaming.read(Workbench.orders)
        #expect(events.map(\.correlationID?.rawValue) == ["order-4711"])
        #expect(journal.entries == [-1])
    }

    @Test("The same key of another type of command is another key; with another command of the type it is refused")
    func otherContent() async throws {
        let streaming = try service()
        _ = try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k")
        try await streaming.commands.send(CancelOrder(workflowID: nil, number: 1), idempotencyKey: "k")
        for other in [BookOrder(number: 2), BookOrder(number: 1, note: "fast")] {
            await Workbench.refusal(.idempotencyKeyConflict, saying: "BookOrder") {
                try await streaming.commands.send(other, idempotencyKey: "k")
            }
        }
        #expect(journal.entries == [1, -1])
        #expect(try await count(streaming) == 3)
    }

    @Test("What a handler sends has no key")
    func nested() async throws {
        let itself = Late<EventStreaming>()
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            if command.number > 0 {
                for _ in 1...2 { _ = try await itself.get().commands.send(BookOrder(number: 0)) }
            }
            return Booking(workflow: "w", text: "")
        }
        itself.set(streaming)
        for _ in 1...2 { _ = try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k") }
        #expect(journal.entries == [1, 0, 0])
    }

    // MARK: - Two at a time

    @Test("Of two at a time one commits, and both get its response", arguments: [true, false])
    func atOnce(isSame: Bool) async throws {
        let (journal, turns) = (journal, Tally())
        let streaming = try service { command, workflow in
            let turn = turns.add(1)
            // Both have looked for the other's outcome before.
            try await journal.wait(for: 2)
            workflow.emit(OrderPlaced(number: isSame ? 0 : turn))
            return Booking(workflow: workflow.id.rawValue, text: "turn \(turn)")
        }
        let bookings = try await withThrowingTaskGroup(of: Booking.self) { group in
            for _ in 1...2 {
                group.addTask { try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k") }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(bookings[0] == bookings[1])
        #expect(journal.count == 2)
        #expect(try await count(streaming) == 1)
        let again = try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k")
        #expect(again == bookings[0])
        #expect(journal.count == 2)
    }

    @Test("A handler that fails because the other was faster does not matter")
    func failedMeanwhile() async throws {
        let (journal, turns, isDone) = (journal, Tally(), Latch())
        let streaming = try service { command, workflow in
            let turn = turns.add(1)
            try await journal.wait(for: 2)
            if turn == 2 {
                try await isDone.wait()
                throw Failure()
            }
            workflow.emit(OrderPlaced(number: command.number))
            return Booking(workflow: workflow.id.rawValue, text: "turn \(turn)")
        }
        let bookings = try await withThrowingTaskGroup(of: Booking.self) { group in
            group.addTask {
                let booking = try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k")
                isDone.open()
                return booking
            }
            try await journal.wait(for: 1)
            group.addTask { try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k") }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(bookings.map(\.text) == ["turn 1", "turn 1"])
    }

    // MARK: - Interrupted

    @Test("When the answer of the commit is lost, the response is found; when the commit was, it is done again")
    func lost() async throws {
        let streaming = try service()
        store.fail(.append, with: unavailable, on: .nextCalls(1), effect: .after)
        let first = try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "a")
        #expect(try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "a") == first)
        #expect(journal.entries == [1])
        store.fail(.append, with: unavailable, on: .nextCalls(1), effect: .before)
        await Workbench.refusal(.storeUnavailable) {
            try await streaming.commands.send(BookOrder(number: 2), idempotencyKey: "b")
        }
        _ = try await streaming.commands.send(BookOrder(number: 2), idempotencyKey: "b")
        #expect(journal.entries == [1, 2, 2])
        #expect(try await count(streaming) == 4)
    }

    @Test("When it cannot be looked up whether it was done, nothing is done")
    func notFound() async throws {
        let streaming = try service()
        store.fail(.offset, with: unavailable, on: .nextCalls(1))
        await Workbench.refusal(.storeUnavailable) {
            try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k")
        }
        #expect(journal.entries.isEmpty)
    }

    @Test("A handler that throws or emits nothing is called again")
    func nothingRecorded() async throws {
        let streaming = try service { command, _ in
            if command.number == 1 { throw Failure() }
            return Booking(workflow: "w", text: "nothing")
        }
        for _ in 1...2 {
            await #expect(throws: Failure()) {
                try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "a")
            }
            _ = try await streaming.commands.send(BookOrder(number: 2), idempotencyKey: "b")
        }
        #expect(journal.entries == [1, 2, 1, 2])
    }

    @Test(
        "When its events were trimmed the key is forgotten; while one of them is left, it has its effect once all the same"
    )
    func trimmed() async throws {
        let streaming = try service()
        _ = try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k")
        let stream = try StreamName(Workbench.orders)
        _ = try await store.trim(stream, before: StreamOffset(1))
        await Workbench.refusal(.eventIDConflict) {
            try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k")
        }
        #expect(try await count(streaming) == 2)
        _ = try await store.trim(stream, before: StreamOffset(2))
        _ = try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k")
        #expect(journal.entries == [1, 1, 1])
    }

    // MARK: - Bad input

    @Test("A key that is empty or too long is refused", arguments: ["", String(repeating: "k", count: 256)])
    func badKey(_ key: String) async throws {
        let streaming = try service()
        await Workbench.refusal(.invalidArgument, saying: "1 to 255 bytes", "\(key.utf8.count)") {
            try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: key)
        }
        #expect(journal.entries.isEmpty)
    }

    @Test("A response that has no room is refused, and nothing is appended")
    func largeResponse() async throws {
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            return Booking(workflow: "w", text: String(repeating: "x", count: 100_000))
        }
        await Workbench.refusal(.headersTooLarge, saying: "response", "maximumHeaderBytes") {
            try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "k")
        }
        #expect(try await count(streaming) == 0)
        // It is the record that is too large, not the response.
        _ = try await streaming.commands.send(BookOrder(number: 1))
    }

    @Test("A handler without a workflow is not called with a key")
    func noWorkflow() async throws {
        let streaming = try service()
        await Workbench.refusal(.unsupported, saying: "Ask") {
            try await streaming.commands.send(Ask(), idempotencyKey: "k")
        }
        #expect(journal.entries.isEmpty)
        #expect(try await streaming.commands.send(Ask()) == 1)
        let bus = try CommandBus { commands in commands.on(Ask.self) { _ in 2 } }
        await Workbench.refusal(.unsupported, saying: "no effect") {
            try await bus.send(Ask(), idempotencyKey: "k")
        }
    }

    @Test("Rules hold as ever")
    func validation() async throws {
        let streaming = try service(also: { streaming in
            streaming.commands.validate(BookOrder.self) { command, violations in
                violations.check(command.number > 0, field: "number", rule: "positive", message: "must be positive")
            }
        })
        await #expect(throws: ValidationError.self) {
            try await streaming.commands.send(BookOrder(number: 0), idempotencyKey: "k")
        }
        #expect(journal.entries.isEmpty)
    }

    @Test("An event of somebody else's with the derived id is told")
    func foreignEvent() async throws {
        let streaming = try service()
        let id = try #require(MessageID("00065063-d97e-8aec-8dad-8ea352d2c2b2"))
        _ = try await streaming.emitter.emit(OrderPlaced(number: 1), id: id)
        await Workbench.refusal(.eventIDConflict, saying: id.description) {
            try await streaming.commands.send(BookOrder(number: 1), idempotencyKey: "order-1")
        }
        #expect(journal.entries.isEmpty)
    }
}
