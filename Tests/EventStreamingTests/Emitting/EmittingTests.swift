import EventStreaming
import Testing

@Suite("Emitting outside workflows", .timeLimit(.minutes(5)))
struct EmittingTests {
    private let streaming: EventStreaming

    init() throws {
        streaming = try Workbench.service()
    }

    private func stored() async throws -> [StoredEvent] {
        try await streaming.read(Workbench.orders)
    }

    @Test func oneEventGetsTheNextOffset() async throws {
        let first = try await streaming.emitter.emit(OrderPlaced(number: 1))
        let second = try await streaming.emitter.emit(OrderShipped(number: 1))
        #expect(first == AppendResult(offsets: StreamOffset(0)..<StreamOffset(1)))
        #expect(second == AppendResult(offsets: StreamOffset(1)..<StreamOffset(2)))
        #expect(try await stored().map(\.type.name) == ["OrderPlaced", "OrderShipped"])
    }

    @Test func aBatchIsKeptTogetherAndInOrder() async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 0))
        let result = try await streaming.emitter.emit((1...500).map { OrderPlaced(number: $0) })
        #expect(result?.offsets == StreamOffset(1)..<StreamOffset(501))
        let events = try await streaming.read(Workbench.orders, limit: 10_000)
        #expect(Workbench.values(OrderPlaced.self, in: events).map { $0?.number } == (0...500).map { $0 })
        #expect(events.map(\.id) == events.map(\.id).sorted())
        #expect(Set(events.map(\.id)).count == 501)
    }

    @Test func anEmptyBatchDoesNothing() async throws {
        #expect(try await streaming.emitter.emit([OrderPlaced]()) == nil)
        #expect(try await streaming.emitter.emit([OrderPlaced](), expecting: .exactly(StreamOffset(7))) == nil)
        #expect(try await streaming.metadata(of: Workbench.orders).head == .zero)
        #expect(try await streaming.emitter.emit([NoteTaken]()) == nil, "Nothing to emit needs no stream.")
    }

    @Test func outsideHandlersThereIsNoCorrelationUnlessGiven() async throws {
        let workflow = try WorkflowID("order-1")
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        try await streaming.emitter.emit(OrderPlaced(number: 2), in: workflow)
        try await streaming.emitter.emit([OrderPlaced(number: 3)], in: workflow, headers: ["source": "import"])
        let events = try await stored()
        #expect(events.map(\.correlationID) == [nil, workflow, workflow])
        #expect(events.map(\.causationID) == [nil, nil, nil])
        #expect(events.map(\.headers) == [[:], [:], ["source": "import"]])
    }

    @Test func insideAHandlerTheContextIsThatOfTheWorkflowUnlessGiven() async throws {
        let itself = Late<EventStreaming>()
        let other = try WorkflowID("another one")
        let streaming = try Workbench.service { streaming in
            streaming.commands.on(PlaceOrders.self, in: OrderWorkflow.self) { _, workflow in
                let emitter = try itself.get().emitter
                try await emitter.emit(OrderPlaced(number: 1))
                try await emitter.emit([OrderPlaced(number: 2)])
                try await emitter.emit(OrderPlaced(number: 3), in: other)
                return WorkflowSight(workflow)
            }
        }
        itself.set(streaming)
        let seen = try await streaming.commands.send(PlaceOrders(numbers: []))
        let events = try await streaming.read(Workbench.orders)
        #expect(events.map(\.correlationID) == [seen.id, seen.id, other])
        #expect(events.allSatisfy { $0.causationID == seen.causationID })
    }

    @Test func whatAHandlerEmitsByTheEmitterStaysWhenTheHandlerThrows() async throws {
        let itself = Late<EventStreaming>()
        let streaming = try Workbench.service { streaming in
            streaming.commands.on(TryOrder.self, in: OrderWorkflow.self) { _, workflow in
                workflow.emit(OrderPlaced(number: 1))
                try await itself.get().emitter.emit(OrderPlaced(number: 2))
                throw Failure()
            }
        }
        itself.set(streaming)
        await #expect(throws: Failure.self) { try await streaming.commands.send(TryOrder(number: 0)) }
        let events = try await streaming.read(Workbench.orders)
        #expect(Workbench.values(OrderPlaced.self, in: events) == [OrderPlaced(number: 2)])
    }

    @Test func aWorkflowWithoutAStreamIsUnknown() async throws {
        await Workbench.refusal(.unknownStream, saying: "NoteWorkflow", "addStream(NoteWorkflow.self)") {
            try await streaming.emitter.emit(NoteTaken(text: "lost"))
        }
        await Workbench.refusal(.unknownStream, saying: "addStream") {
            try await streaming.emitter.emit([NoteTaken(text: "lost"), NoteTaken(text: "too")])
        }
        try await Workbench.expectWorking(streaming)
    }

    @Test func eventsGoToTheStreamOfTheirWorkflow() async throws {
        let streaming = try Workbench.service { streaming in
            streaming.addStream(NoteWorkflow.self) { stream in
                stream.name = "notes.2026"
                stream.type = .persistent
            }
        }
        try await streaming.emitter.emit(NoteTaken(text: "here"))
        let notes = try await streaming.read("notes.2026")
        #expect(Workbench.values(NoteTaken.self, in: notes) == [NoteTaken(text: "here")])
        #expect(try await stored().isEmpty)
    }

    @Test func anEphemeralStreamWithoutSubscriptionsKeepsNothing() async throws {
        let streaming = try EventStreaming { $0.addStream(OrderWorkflow.self) }
        let result = try await streaming.emitter.emit([OrderPlaced(number: 1), OrderPlaced(number: 2)])
        #expect(result?.offsets == StreamOffset(0)..<StreamOffset(2))
        let metadata = try await streaming.metadata(of: Workbench.orders)
        #expect(metadata.type == .ephemeral)
        #expect(metadata.count == 0 && metadata.head == StreamOffset(2) && metadata.dropped == 2)
    }

    @Test func aFullStreamRefusesAllOfABatch() async throws {
        let streaming = try EventStreaming { streaming in
            streaming.addStream(OrderWorkflow.self) { stream in
                stream.type = .persistent
                stream.capacity = .events(2)
            }
        }
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        let error = await Workbench.refusal(.streamFull, saying: "at most 2") {
            try await streaming.emitter.emit([OrderPlaced(number: 2), OrderPlaced(number: 3)])
        }
        #expect(error?.isRetriable == true)
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(1))
        try await streaming.emitter.emit(OrderPlaced(number: 2))
        try await streaming.trim(Workbench.orders, before: StreamOffset(1))
        try await streaming.emitter.emit(OrderPlaced(number: 3))
        let kept = Workbench.values(
            OrderPlaced.self, in: try await streaming.read(Workbench.orders, from: StreamOffset(1)))
        #expect(kept.map { $0?.number } == [2, 3])
    }
}
