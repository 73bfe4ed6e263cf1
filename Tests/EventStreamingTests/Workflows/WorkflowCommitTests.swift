import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("The commit of a workflow's events", .timeLimit(.minutes(5)))
struct WorkflowCommitTests {
    private let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore())

    private func service(
        _ handle: @escaping @Sendable (TryOrder, inout WorkflowContext<OrderWorkflow>) async throws -> String
    ) throws -> EventStreaming {
        let store = store
        return try Workbench.service(storage: EventStreamingStorage { _ in store }) { streaming in
            streaming.commands.on(TryOrder.self, in: OrderWorkflow.self, handle)
        }
    }

    private func numbers(_ streaming: EventStreaming) async throws -> [Int?] {
        Workbench.values(OrderPlaced.self, in: try await streaming.read(Workbench.orders)).map { $0?.number }
    }

    // MARK: - Together

    @Test func eventsAreCommittedTogetherInTheOrderOfEmission() async throws {
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            workflow.emit(OrderShipped(number: command.number))
            workflow.emit(contentsOf: (2...4).map { OrderPlaced(number: $0) })
            workflow.emit(contentsOf: [OrderPlaced]())
            return "placed"
        }
        #expect(try await streaming.commands.send(TryOrder(number: 1)) == "placed")

        let events = try await streaming.read(Workbench.orders)
        #expect(events.map(\.offset.rawValue) == [0, 1, 2, 3, 4])
        #expect(
            events.map(\.type.name) == ["OrderPlaced", "OrderShipped", "OrderPlaced", "OrderPlaced", "OrderPlaced"])
        #expect(try await numbers(streaming) == [1, nil, 2, 3, 4])
        #expect(Set(events.map(\.correlationID)).count == 1)
        #expect(Set(events.map(\.causationID)).count == 1)
        #expect(events.map(\.id) == events.map(\.id).sorted() && Set(events.map(\.id)).count == 5)
        #expect(store.callCount(of: .append) == 1)
    }

    @Test func writesNeedAStoreWithTransactions() async throws {
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            workflow.write { _ in Issue.record("There is nothing to write to.") }
            return "placed"
        }
        await #expect(throws: EventStreamingError.self) {
            try await streaming.commands.send(TryOrder(number: 1))
        }
        #expect(try await streaming.read(Workbench.orders).isEmpty)
    }

    @Test func nothingIsVisibleBeforeTheHandlerReturns() async throws {
        let itself = Late<EventStreaming>()
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            #expect(workflow.pendingEvents.count == 1)
            return "\(try await itself.get().metadata(of: Workbench.orders).head)"
        }
        itself.set(streaming)
        #expect(try await streaming.commands.send(TryOrder(number: 1)) == "0")
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(1))
    }

    @Test func theResponseComesAfterTheCommit() async throws {
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            return "done"
        }
        let gate = store.hold(.append)
        let responses = Late<String>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                responses.set(try await streaming.commands.send(TryOrder(number: 1)))
            }
            try await gate.waitForArrivals(1)
            #expect(!responses.isSet)
            gate.release()
            try await group.waitForAll()
        }
        #expect(try responses.get() == "done")
        #expect(try await numbers(streaming) == [1])
    }

    @Test func aHandlerThatEmitsNothingAppendsNothing() async throws {
        let streaming = try service { _, _ in "nothing" }
        #expect(try await streaming.commands.send(TryOrder(number: 1)) == "nothing")
        #expect(store.callCount(of: .append) == 0)
    }

    @Test func aHandlerMayHaveNoResponse() async throws {
        let streaming = try Workbench.service { $0.commands.add(ShipOrderHandler()) }
        try await streaming.commands.send(ShipOrder(number: 3))
        let events = try await streaming.read(Workbench.orders)
        #expect(Workbench.values(OrderShipped.self, in: events) == [OrderShipped(number: 3)])
    }

    // MARK: - Nothing

    @Test func nothingIsEmittedWhenTheHandlerThrows() async throws {
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            workflow.emit(OrderPlaced(number: command.number + 1))
            throw Failure(reason: "sold out")
        }
        await #expect(throws: Failure(reason: "sold out")) {
            try await streaming.commands.send(TryOrder(number: 1))
        }
        #expect(store.callCount(of: .append) == 0)
        #expect(try await numbers(streaming).isEmpty)
        try await Workbench.expectWorking(streaming)
    }

    @Test func nothingIsEmittedWhenTheTaskIsCancelledBeforeTheCommit() async throws {
        let place = StoppingPlace()
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            await place.stop()
            return "the handler did not notice"
        }
        let task = Task { try await streaming.commands.send(TryOrder(number: 1)) }
        await place.waitForArrival()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(store.callCount(of: .append) == 0)
        #expect(try await numbers(streaming).isEmpty)
        try await Workbench.expectWorking(streaming)
    }

    @Test func aCommitThatHappenedIsNotUndoneByCancellation() async throws {
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            return "done"
        }
        let gate = store.hold(.append, effect: .after)
        let task = Task { try await streaming.commands.send(TryOrder(number: 1)) }
        try await gate.waitForArrivals(1)
        task.cancel()
        gate.release()
        #expect(try await task.value == "done")
        #expect(try await numbers(streaming) == [1])
    }

    @Test func whenTheStoreFailsTheSenderIsTold() async throws {
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            return "never"
        }
        store.fail(.append, with: EventStreamingError(.storeUnavailable, "The disk is gone."), on: .nextCalls(1))
        await Workbench.refusal(.storeUnavailable, saying: "The disk is gone.") {
            try await streaming.commands.send(TryOrder(number: 1))
        }
        #expect(try await numbers(streaming).isEmpty)
        try await Workbench.expectWorking(streaming)
    }

    @Test func oneEventThatDoesNotFitKeepsAllFromBeingEmitted() async throws {
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            workflow.emit(OrderPlaced(number: 2, note: String(repeating: "x", count: 1_000_001)))
            workflow.emit(OrderPlaced(number: 3))
            return "never"
        }
        await Workbench.refusal(.payloadTooLarge) { try await streaming.commands.send(TryOrder(number: 1)) }
        #expect(try await numbers(streaming).isEmpty)
        try await Workbench.expectWorking(streaming)
    }

    @Test func aWorkflowWithoutAStreamIsToldWhenItEmits() async throws {
        let streaming = try Workbench.service { $0.commands.add(TakeNoteHandler()) }
        await Workbench.refusal(.unknownStream, saying: "NoteWorkflow", "addStream(NoteWorkflow.self)") {
            try await streaming.commands.send(TakeNote(text: "lost"))
        }
        try await Workbench.expectWorking(streaming)
    }
}
