import EventStreaming
import Testing

@Suite("Use after the end", .timeLimit(.minutes(5)))
struct AfterShutdownTests {
    private func endedService() async throws -> EventStreaming {
        let streaming = try Workbench.service { streaming in
            streaming.commands.on(CountWords.self) { _ in 1 }
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
        }
        try await withEventStreaming(streaming) { streaming in
            _ = try await streaming.commands.send(PlaceOrder(number: 1))
        }
        return streaming
    }

    @Test func nothingNewIsAccepted() async throws {
        let streaming = try await endedService()
        let said = "create a new one"
        await Workbench.refusal(.shutDown, saying: said) { try await streaming.commands.send(PlaceOrder(number: 2)) }
        await Workbench.refusal(.shutDown, saying: said) { try await streaming.commands.send(CountWords(text: "")) }
        await Workbench.refusal(.shutDown, saying: said) { try await streaming.emitter.emit(OrderPlaced(number: 2)) }
        await Workbench.refusal(.shutDown, saying: said) { try await streaming.emitter.emit([OrderPlaced(number: 2)]) }
        await Workbench.refusal(.shutDown, saying: said) { try await streaming.emitter.emit([OrderPlaced]()) }
        await Workbench.refusal(.shutDown, saying: said) { try streaming.subscribe(to: "mail") }
        await Workbench.refusal(.shutDown, saying: said) {
            try await streaming.withSubscription(to: "mail", as: "mailer") { _ in }
        }
        await Workbench.refusal(.shutDown, saying: said) { try await streaming.run() }
        streaming.beginShutdown()
    }

    @Test func whatIsStoredCanStillBeRead() async throws {
        let streaming = try await endedService()
        #expect(try await streaming.read(Workbench.orders).count == 1)
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(1))
        #expect(try await streaming.deadLetters(of: "mail").isEmpty)
        #expect(try await streaming.consumers(of: "mail").isEmpty)
    }

    @Test func whileItShutsDownOnlyHandlersThatRunMayGoOn() async throws {
        let (itself, place) = (Late<EventStreaming>(), StoppingPlace())
        let streaming = try Workbench.service { streaming in
            streaming.commands.on(TryOrder.self, in: OrderWorkflow.self) { command, workflow in
                workflow.emit(OrderPlaced(number: command.number))
                await place.stop()
                try await itself.get().emitter.emit(OrderPlaced(number: command.number + 1))
                return "finished"
            }
        }
        itself.set(streaming)
        let task = Task { try await streaming.commands.send(TryOrder(number: 1)) }
        await place.waitForArrival()
        streaming.beginShutdown()
        await Workbench.refusal(.shuttingDown) { try await streaming.commands.send(PlaceOrder(number: 9)) }
        await Workbench.refusal(.shuttingDown) { try await streaming.emitter.emit(OrderPlaced(number: 9)) }
        place.release()
        #expect(try await task.value == "finished")
        let stored = Workbench.values(OrderPlaced.self, in: try await streaming.read(Workbench.orders))
        #expect(stored.map { $0?.number } == [2, 1])
    }
}
