import CQRS
import InMemoryLogging
import Logging
import Testing

@Suite struct LoggingMiddlewareTests {
    private let handler: InMemoryLogHandler
    private let logger: Logger

    init() {
        var handler = InMemoryLogHandler()
        handler.logLevel = .debug
        let configured = handler
        self.handler = configured
        logger = Logger(label: "test", factory: { _ in configured })
    }

    @Test func aHandledMessageIsLoggedAtDebugWithNameKindAndDuration() async throws {
        let bus = try CommandBus { commands in
            commands.use(LoggingMiddleware(logger: logger))
            commands.add(AddHandler())
        }
        #expect(try await bus.send(Add(left: 1, right: 2)) == 3)
        let entry = try #require(handler.entries.first)
        #expect(handler.entries.count == 1)
        #expect(entry.level == .debug)
        #expect(entry.message == "Message handled")
        #expect(entry.metadata["cqrs.name"] == "Add")
        #expect(entry.metadata["cqrs.kind"] == "command")
        #expect(Set(entry.metadata.keys) == ["cqrs.name", "cqrs.kind", "cqrs.duration_ns"])
        let nanoseconds = try #require(Int(entry.metadata["cqrs.duration_ns"]?.description ?? ""))
        #expect(nanoseconds > 0)
    }

    @Test func aFailureIsLoggedAtDebugWithItsErrorAndThrownUnchanged() async throws {
        let bus = try QueryBus { queries in
            queries.use(LoggingMiddleware(logger: logger))
            queries.on(Square.self) { _ in throw Failure(reason: "gone") }
        }
        await #expect(throws: Failure(reason: "gone")) { try await bus.ask(Square(value: 1)) }
        let entry = try #require(handler.entries.first)
        #expect(handler.entries.count == 1)
        #expect(entry.level == .debug)
        #expect(entry.message == "Message failed")
        #expect(entry.error as? Failure == Failure(reason: "gone"))
        #expect(entry.metadata["cqrs.name"] == "Square")
        #expect(entry.metadata["cqrs.kind"] == "query")
        #expect(entry.metadata["cqrs.error.type"] == "Failure")
        #expect(entry.metadata["cqrs.duration_ns"] != nil)
    }

    @Test func aMessageThatFailsValidationIsLogged() async throws {
        let bus = try CommandBus { commands in
            commands.use(LoggingMiddleware(logger: logger))
            commands.on(RenameUser.self) { $0.name }
        }
        await #expect(throws: ValidationError.self) { try await bus.send(RenameUser(id: 0, name: "")) }
        #expect(handler.entries.map(\.metadata["cqrs.error.type"]) == ["ValidationError"])
    }

    @Test func nothingIsLoggedAboveDebug() async throws {
        var quiet = logger
        quiet.logLevel = .info
        let bus = try CommandBus { commands in
            commands.use(LoggingMiddleware(logger: quiet))
            commands.add(AddHandler())
            commands.on(Ping.self) { _ in throw Failure(reason: "gone") }
        }
        #expect(try await bus.send(Add(left: 1, right: 2)) == 3)
        await #expect(throws: Failure.self) { try await bus.send(Ping()) }
        #expect(handler.entries.isEmpty)
    }

    @Test func withoutALoggerTheOneOfTheTaskIsUsed() async throws {
        let bus = try CommandBus { commands in
            commands.use(LoggingMiddleware())
            commands.on(Ping.self) { _ in }
        }
        var bound = logger
        bound[metadataKey: "request.id"] = "r1"
        try await withLogger(bound) { _ in try await bus.send(Ping()) }
        let entry = try #require(handler.entries.first)
        #expect(handler.entries.count == 1)
        #expect(entry.metadata["request.id"] == "r1")
        #expect(entry.metadata["cqrs.name"] == "Ping")
    }
}
