import EventStreaming
import Synchronization
import Testing

/// The older style: a handler that returns its events.
private struct ReturnOrdersHandler: EventsCommandHandler {
    func handle(_ command: ReturnOrders) async throws -> (response: String, events: [OrderPlaced]) {
        if command.numbers.contains(0) { throw Failure(reason: "there is no order 0") }
        await command.place?.stop()
        return ("\(command.numbers.count) placed", command.numbers.map { OrderPlaced(number: $0) })
    }
}

private struct ReturnOrders: WorkflowCommand {
    typealias Response = String
    var workflowID: WorkflowID?
    var numbers: [Int]
    var place: StoppingPlace?
}

/// Registers the deprecated way; called through the protocol, so that only this one place knows.
private protocol OlderStyle {
    func register(in commands: inout CommandRegistrations)
}

private struct OlderStyleRegistration: OlderStyle {
    @available(*, deprecated)
    func register(in commands: inout CommandRegistrations) {
        commands.addCommandWithEvents(ReturnOrdersHandler())
    }
}

@Suite("Handlers that return their events", .timeLimit(.minutes(5)))
struct EventsCommandHandlerTests {
    private let streaming: EventStreaming

    init() throws {
        let older: any OlderStyle = OlderStyleRegistration()
        streaming = try Workbench.service { older.register(in: &$0.commands) }
    }

    @Test func theEventsAreCommittedTogetherInANewWorkflow() async throws {
        #expect(try await streaming.commands.send(ReturnOrders(numbers: [3, 1, 2])) == "3 placed")
        let events = try await streaming.read(Workbench.orders)
        #expect(Workbench.values(OrderPlaced.self, in: events).map { $0?.number } == [3, 1, 2])
        #expect(Set(events.map(\.correlationID)).count == 1)
        #expect(Set(events.map(\.causationID)).count == 1)
        #expect(events.first?.correlationID != nil && events.first?.causationID != nil)
    }

    @Test func aWorkflowIsContinued() async throws {
        let id = try WorkflowID("older")
        _ = try await streaming.commands.send(ReturnOrders(workflowID: id, numbers: [1]))
        #expect(try await streaming.read(Workbench.orders).map(\.correlationID) == [id])
    }

    @Test func noEventsAreNoCommit() async throws {
        #expect(try await streaming.commands.send(ReturnOrders(numbers: [])) == "0 placed")
        #expect(try await streaming.metadata(of: Workbench.orders).head == .zero)
    }

    @Test func nothingIsEmittedWhenItThrows() async throws {
        await #expect(throws: Failure(reason: "there is no order 0")) {
            try await streaming.commands.send(ReturnOrders(numbers: [1, 0]))
        }
        #expect(try await streaming.metadata(of: Workbench.orders).head == .zero)
        try await Workbench.expectWorking(streaming)
    }

    @Test func nothingIsEmittedWhenItIsCancelled() async throws {
        let (streaming, place) = (streaming, StoppingPlace())
        let task = Task { try await streaming.commands.send(ReturnOrders(numbers: [1], place: place)) }
        await place.waitForArrival()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await streaming.metadata(of: Workbench.orders).head == .zero)
        try await Workbench.expectWorking(streaming)
    }
}

@Suite("Handlers that are closures", .timeLimit(.minutes(5)))
struct ClosureHandlerTests {
    @Test func aClosureWithAWorkflowEmitsLikeAHandler() async throws {
        let streaming = try Workbench.service { streaming in
            streaming.commands.on(PlaceOrders.self, in: OrderWorkflow.self) { command, workflow in
                workflow.emit(contentsOf: command.numbers.map { OrderPlaced(number: $0) })
                return WorkflowSight(workflow)
            }
        }
        let seen = try await streaming.commands.send(PlaceOrders(numbers: [7, 8]))
        let events = try await streaming.read(Workbench.orders)
        #expect(Workbench.values(OrderPlaced.self, in: events).map { $0?.number } == [7, 8])
        #expect(events.map(\.correlationID) == [seen.id, seen.id])
    }

    @Test func aClosureWithoutAWorkflowEmitsNothing() async throws {
        let streaming = try Workbench.service { streaming in
            streaming.commands.on(CountWords.self) { $0.text.split(separator: " ").count }
        }
        #expect(try await streaming.commands.send(CountWords(text: "one two three")) == 3)
        #expect(try await streaming.metadata(of: Workbench.orders).head == .zero)
    }

    @Test func middlewareRunsAroundEveryHandlerTheFirstOneOutermost() async throws {
        let trail = Trail()
        let streaming = try Workbench.service { streaming in
            streaming.commands.use(TrailMiddleware(name: "outer", trail: trail))
            streaming.commands.on(CountWords.self) { _ in
                trail.leave("handler")
                return 0
            }
            streaming.commands.use(TrailMiddleware(name: "inner", trail: trail))
        }
        _ = try await streaming.commands.send(CountWords(text: ""))
        #expect(trail.marks == ["> outer", "> inner", "handler", "< inner", "< outer"])
    }
}

private final class Trail: Sendable {
    private let left = Mutex<[String]>([])

    var marks: [String] { left.withLock { $0 } }

    func leave(_ mark: String) { left.withLock { $0.append(mark) } }
}

private struct TrailMiddleware: BusMiddleware {
    let name: String
    let trail: Trail

    func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response {
        trail.leave("> \(name)")
        defer { trail.leave("< \(name)") }
        return try await next(message)
    }
}
