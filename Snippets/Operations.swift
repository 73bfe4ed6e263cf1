// Operations: as a service, options, logs, metrics, spans, and errors.
import EventStreaming
import Logging
import ServiceLifecycle

struct UserWorkflow: Workflow {}

struct UserAdded: Event {
    typealias Process = UserWorkflow
    var name: String
}

struct AddUser: Command {
    var name: String
}

func makeStreaming() throws -> EventStreaming {
    try EventStreaming { streaming in
        streaming.options.shutdownTimeout = .seconds(20)
        streaming.options.limits.maximumPayloadBytes = 64_000
        streaming.addStream(UserWorkflow.self)
        streaming.addSubscription("audit") { subscription in
            subscription.stream(UserWorkflow.self)
            subscription.mode = .exclusive
            subscription.handle { delivery in
                Logger.current.info("\(delivery.event)")
            }
        }
        streaming.commands.use(TracingMiddleware())
        streaming.commands.use(MetricsMiddleware())
        streaming.commands.use(LoggingMiddleware())
        streaming.commands.on(AddUser.self, in: UserWorkflow.self) { command, workflow in
            workflow.emit(UserAdded(name: command.name))
        }
    }
}

func serve() async throws {
    let streaming = try makeStreaming()
    let group = ServiceGroup(
        services: [streaming],
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: Logger.current
    )
    try await group.run()
}

func add(_ name: String, to streaming: EventStreaming) async throws {
    do {
        try await streaming.commands.send(AddUser(name: name))
    } catch let error as EventStreamingError where error.isRetriable {
        print("later, perhaps: \(error.message)")
    } catch let error as EventStreamingError where error.code == .shutDown {
        print("too late: \(error.message)")
    }
}

do {
    _ = try EventStreaming { streaming in
        streaming.addSubscription("audit") { subscription in
            subscription.stream(UserWorkflow.self)
            subscription.prefetch = 0
        }
    }
} catch let error as EventStreamingError where error.code == .invalidConfiguration {
    for problem in error.problems {
        print(problem)
    }
}

let streaming = try makeStreaming()
try await withEventStreaming(streaming) { streaming in
    try await add("ada", to: streaming)
}
try await add("grace", to: streaming)
