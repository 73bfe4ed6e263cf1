import EventStreaming
import InMemoryLogging
import Logging
import Testing

@Suite("Logging", .timeLimit(.minutes(5)))
struct LoggingTests {
    private let handler = InMemoryLogHandler()

    private var logger: Logger {
        var handler = handler
        handler.logLevel = .trace
        let copy = handler
        return Logger(label: "test") { _ in copy }
    }

    private func entry(_ message: Logger.Message) throws -> InMemoryLogHandler.Entry {
        try #require(handler.entries.first { $0.message == message })
    }

    @Test("what a command handler logs says which workflow it belongs to")
    func commandHandler() async throws {
        let streaming = try makeOrders(
            also: { streaming in
                streaming.commands.on(PlaceOrder.self, in: OrderWorkflow.self) { command, workflow in
                    Logger.current.info("placing")
                    workflow.emit(OrderPlaced(number: command.number))
                    return workflow.id
                }
            }
        )
        let id = try await withLogger(logger) { _ in try await streaming.commands.send(PlaceOrder(number: 1)) }
        #expect(try entry("placing").metadata["correlation.id"] == .string(id.rawValue))
    }

    @Test("what an event handler logs says to what it belongs, also in commands that it sends")
    func eventHandler() async throws {
        let (journal, logger) = (Journal<WorkflowID?>(), logger)
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.handle { delivery in
                    Logger.current.info("handling \(delivery.number)")
                    if delivery.number == 1 { throw Failure() }
                    journal.add(delivery.workflowID)
                }
                subscription.retry.maximumAttempts = 1
            },
            also: { $0.options.logger = logger }
        )
        let workflow = try WorkflowID("order-2")
        try await withEventStreaming(streaming) { streaming in
            try await streaming.emitter.emit(OrderPlaced(number: 1))
            try await streaming.emitter.emit(OrderPlaced(number: 2), in: workflow)
            try await journal.wait(for: 1)
        }
        let outside = try entry("handling 1").metadata
        #expect(outside["correlation.id"] == nil)
        #expect(outside["subscription"] == "mail")
        #expect(outside["attempt"] == .stringConvertible(1))
        let inside = try entry("handling 2").metadata
        #expect(inside["correlation.id"] == "order-2")
        #expect(inside["event.id"] != nil)
        #expect(inside["event.id"] != outside["event.id"])
        let failure = try #require(handler.entries.first { $0.metadata["error"] != nil })
        #expect(failure.metadata["event.id"] == outside["event.id"])
    }

    @Test("nothing that the service logs holds a payload")
    func noPayloads() async throws {
        let logger = logger
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.retry.maximumAttempts = 1
                subscription.handle { _ in throw Failure() }
            },
            also: { $0.options.logger = logger }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.emitter.emit(OrderPlaced(number: 1, note: "swordfish"))
            try await streaming.wait { try await $0.position()?.isFinished == true }
        }
        #expect(!handler.entries.isEmpty)
        #expect(!handler.entries.contains { "\($0)".contains("swordfish") })
    }
}
