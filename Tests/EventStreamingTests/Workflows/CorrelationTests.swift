import EventStreaming
import Testing

@Suite("Correlation, causation and headers", .timeLimit(.minutes(5)))
struct CorrelationTests {
    /// Sends commands that work in workflows of orders and of notes.
    private func service(
        _ handle: @escaping @Sendable (TryOrder, inout WorkflowContext<OrderWorkflow>) async throws -> String = {
            _, _ in ""
        }
    ) throws -> EventStreaming {
        try Workbench.service { streaming in
            streaming.addStream(NoteWorkflow.self) { $0.type = .persistent }
            streaming.commands.add(PlaceOrdersHandler())
            streaming.commands.add(TakeNoteHandler())
            streaming.commands.on(TryOrder.self, in: OrderWorkflow.self, handle)
        }
    }

    @Test func eventsAreCorrelatedByTheWorkflowAndCausedByTheCommand() async throws {
        let streaming = try service()
        let first = try await streaming.commands.send(PlaceOrders(numbers: [1, 2]))
        let second = try await streaming.commands.send(PlaceOrders(workflowID: first.id, numbers: [3]))
        let events = try await streaming.read(Workbench.orders)
        #expect(events.map(\.correlationID) == [first.id, first.id, first.id])
        #expect(events.map(\.causationID) == [first.causationID, first.causationID, second.causationID])
        #expect(events.allSatisfy { $0.headers.isEmpty })
    }

    @Test func aNestedCommandHasItsOwnIDAsTheCauseAndAWorkflowOfItsOwn() async throws {
        let itself = Late<EventStreaming>()
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            let inner = try await itself.get().commands.send(TakeNote(text: "nested"))
            #expect(inner != workflow.causationID)
            #expect(MessageContext.current?.causationID == workflow.causationID, "The inner context has ended.")
            return inner.description
        }
        itself.set(streaming)
        let inner = try await streaming.commands.send(TryOrder(number: 1))
        let order = try #require(try await streaming.read(Workbench.orders).first)
        let note = try #require(try await streaming.read("note-events").first)
        #expect(note.causationID?.description == inner)
        #expect(note.correlationID != order.correlationID)
    }

    @Test func aNestedCommandMayContinueTheWorkflow() async throws {
        let itself = Late<EventStreaming>()
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            _ = try await itself.get().commands.send(TakeNote(workflowID: workflow.id, text: "nested"))
            return workflow.id.rawValue
        }
        itself.set(streaming)
        let id = try await streaming.commands.send(TryOrder(number: 1))
        #expect(try await streaming.read(Workbench.orders).map(\.correlationID?.rawValue) == [id])
        #expect(try await streaming.read("note-events").map(\.correlationID?.rawValue) == [id])
    }

    @Test func anEventIsTheCauseOfEverythingItsHandlerSendsAndEmits() async throws {
        let itself = Late<EventStreaming>()
        let (handled, finished) = AsyncStream.makeStream(of: StoredEvent.self)
        let streaming = try Workbench.service { streaming in
            streaming.addStream(NoteWorkflow.self) { $0.type = .persistent }
            streaming.commands.on(TakeNote.self, in: NoteWorkflow.self) { command, workflow in
                workflow.emit(NoteTaken(text: command.text))
                if command.text == "first" {
                    let nested = TakeNote(workflowID: workflow.id, text: "nested")
                    _ = try await itself.get().commands.send(nested)
                }
                return workflow.causationID
            }
            streaming.addSubscription("notes") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.handle(OrderPlaced.self) { _, delivery in
                    let cause = try await itself.get().commands.send(TakeNote(text: "first"))
                    #expect(cause == delivery.record.id)
                    try await itself.get().emitter.emit(NoteTaken(text: "emitted"))
                    #expect(MessageContext.current?.causationID == delivery.record.id)
                    #expect(MessageContext.current?.correlationID == delivery.workflowID)
                    finished.yield(delivery.record)
                }
            }
        }
        itself.set(streaming)
        try await withEventStreaming(streaming) { streaming in
            let id = try await streaming.commands.send(PlaceOrder(number: 1))
            var events = handled.makeAsyncIterator()
            let cause = try #require(await events.next())
            let notes = try await streaming.read("note-events")
            #expect(
                Workbench.values(NoteTaken.self, in: notes).map { $0?.text } == ["nested", "first", "emitted"])
            #expect(notes.map(\.causationID) == [cause.id, cause.id, cause.id])
            #expect(notes[0].correlationID == notes[1].correlationID)
            #expect(notes[0].correlationID != id, "A command without a workflow starts a new one.")
            #expect(notes[2].correlationID == id, "What is emitted belongs to the workflow of the event handled.")
        }
    }

    // MARK: - Headers

    @Test func headersOfTheWorkflowAreKeptWithEveryEvent() async throws {
        let streaming = try service { command, workflow in
            #expect(workflow.headers.isEmpty)
            workflow.emit(OrderPlaced(number: command.number))
            workflow.headers["tenant"] = "nord"
            workflow.emit(OrderPlaced(number: command.number + 1))
            workflow.headers["user"] = "Zoë 🙂"
            return ""
        }
        _ = try await streaming.commands.send(TryOrder(number: 1))
        let headers = try await streaming.read(Workbench.orders).map(\.headers)
        #expect(headers == Array(repeating: ["tenant": "nord", "user": "Zoë 🙂"], count: 2))
        #expect(try await streaming.commands.send(PlaceOrders(numbers: [3])).isNew)
        #expect(try await streaming.read(Workbench.orders).last?.headers == [:], "Headers end with their command.")
    }

    @Test func headersBeyondTheLimitsKeepAllEventsFromBeingEmitted() async throws {
        let streaming = try service { command, workflow in
            workflow.emit(OrderPlaced(number: command.number))
            for number in 0..<65 {
                workflow.headers["h\(number)"] = "x"
            }
            return ""
        }
        await Workbench.refusal(.headersTooLarge, saying: "65 headers", "64") {
            try await streaming.commands.send(TryOrder(number: 1))
        }
        #expect(try await streaming.metadata(of: Workbench.orders).head == .zero)
        try await Workbench.expectWorking(streaming)
    }

    // MARK: - The context

    @Test func theContextIsBoundWhileAHandlerRunsAndInItsChildTasks() async throws {
        let streaming = try service { _, workflow in
            let current = try #require(MessageContext.current)
            #expect(current.correlationID == workflow.id)
            #expect(current.causationID == workflow.causationID)
            async let child = MessageContext.current?.correlationID
            #expect(await child == workflow.id)
            return ""
        }
        #expect(MessageContext.current == nil)
        _ = try await streaming.commands.send(TryOrder(number: 1))
        #expect(MessageContext.current == nil)
    }

    @Test func thereIsNoContextInQueriesLoopsAndCommandsWithoutAWorkflow() async throws {
        let streaming = try Workbench.service { streaming in
            streaming.commands.on(CountWords.self) { _ in MessageContext.current == nil ? 1 : 0 }
            streaming.queries.on(FindWord.self) { _ in MessageContext.current == nil ? "none" : nil }
            streaming.addSubscription("loop") { $0.stream(OrderWorkflow.self) }
        }
        #expect(try await streaming.commands.send(CountWords(text: "")) == 1)
        #expect(try await streaming.queries.ask(FindWord(text: "")) == "none")
        _ = try await streaming.commands.send(PlaceOrder(number: 1))
        for try await _ in try streaming.subscribe(to: "loop") {
            #expect(MessageContext.current == nil)
            break
        }
    }

    @Test func aContextEndsWithTheHandlerThatThrew() async throws {
        let streaming = try service { _, _ in throw Failure() }
        await #expect(throws: Failure.self) { try await streaming.commands.send(TryOrder(number: 1)) }
        #expect(MessageContext.current == nil)
        let result = try await streaming.emitter.emit(OrderPlaced(number: 1))
        let event = try await streaming.read(Workbench.orders, from: result.offsets.lowerBound).first
        #expect(event?.correlationID == nil && event?.causationID == nil)
    }
}
