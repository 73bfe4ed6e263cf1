public import CQRS
public import EventStreamingCore
public import ServiceLifecycle

/// An event-streaming service: commands in workflows, events in streams, subscriptions that deliver them.
///
/// ## Creating
///
/// Everything is declared in the closure of ``init(storage:configure:)`` and checked before it returns; nothing changes
/// after that. Many independent instances may live in one process. The store is prepared at the first use.
///
/// ## Running
///
/// Sending, asking, emitting and subscribing work at once. ``run()`` adds what goes on in the background: the handlers of
/// subscriptions, signs of life, giving back what lost consumers held. Add the instance to a `ServiceGroup`, or use
/// ``withEventStreaming(_:_:)`` in scripts and tests.
///
/// ## Shutting down
///
/// On a graceful shutdown nothing new starts: loops over subscriptions end, handlers that run may finish within
/// ``EventStreamingOptions/shutdownTimeout``, commands and events of theirs included, and everything else is given back
/// unconsumed, without counting as an attempt. Cancelling ``run()`` does the same at once, without waiting. Afterwards
/// sending commands, emitting and subscribing throw code `shutDown`; what is stored can still be read.
///
/// A handler must honour cancellation: ``run()`` cannot return before its handlers have.
public final class EventStreaming: Service {
    /// Sends commands to their handlers.
    public let commands: CommandBus
    /// Sends queries to their handlers.
    public let queries: QueryBus
    /// Emits events outside commands.
    public let emitter: EventEmitter

    let engine: Engine

    /// Creates a service.
    ///
    /// - Parameters:
    ///   - storage: Where events are kept.
    ///   - configure: Declares streams, subscriptions and handlers.
    /// - Throws: `EventStreamingError` with code `invalidConfiguration` and all problems at once, or what `configure`
    ///   throws.
    public init(
        storage: EventStreamingStorage = .inMemory,
        configure: (inout EventStreamingBuilder) throws -> Void
    ) throws {
        var builder = EventStreamingBuilder()
        try configure(&builder)
        var check = ConfigurationCheck(builder)
        var queryBuilder = QueryBusBuilder()
        swap(&queryBuilder, &builder.queries)
        var queryBus: QueryBus?
        do throws(CQRSError) { queryBus = try queryBuilder.build() } catch { check.report(error) }
        engine = try Engine(
            options: builder.options,
            storage: storage,
            streams: check.streams,
            subscriptions: check.problems.isEmpty ? check.subscriptions : [],
            types: check.eventTypes
        ) { appender, lifecycle in
            try Messaging(
                commands: builder.commands,
                queries: queryBus,
                check: &check,
                appender: appender,
                lifecycle: lifecycle
            )
        }
        commands = engine.messaging.commands
        queries = engine.messaging.queries
        emitter = engine.messaging.emitter
    }

    deinit {
        engine.forgetEverything()
    }

    /// Works in the background until the service shuts down or the task is cancelled; see *Running* and *Shutting down*.
    ///
    /// Returns at once when the shutdown has begun before.
    ///
    /// - Throws: `EventStreamingError` with code `alreadyRunning`, `shutDown` after an earlier run, or what preparing the
    ///   store throws. `CancellationError` when the task was cancelled.
    @concurrent
    public func run() async throws {
        try engine.lifecycle.start()
        defer {
            engine.lifecycle.stop()
            engine.wakeAll()
        }
        try await engine.preparation.ready()
        await withGracefulShutdownHandler {
            await ServiceRunner(engine: engine).run()
        } onGracefulShutdown: {
            self.beginShutdown()
        }
        try Task.checkCancellation()
    }

    /// Begins a graceful shutdown; ``run()`` returns when it is done. Later calls do nothing.
    public func beginShutdown() {
        if engine.lifecycle.drain() {
            engine.wakeAll()
        }
    }
}
