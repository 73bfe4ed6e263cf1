public import CQRS
public import EventStreaming
import GRPCCore
public import ServiceLifecycle

/// The streams of a service in another process: the same loops, deliveries, emitter and buses as `EventStreaming` has.
///
/// ```swift
/// let client = try GRPCEventClient(GRPCClientOptions(host: "localhost", port: 8980)) { client in
///     client.addEvent(UserInvited.self)
/// }
/// try await withGRPCEventClient(client) { client in
///     for try await delivery in try client.subscribe(to: "welcome-mail", as: "consumer-1") {
///         print(delivery.event)
///     }
/// }
/// ```
///
/// ## Running
///
/// Nothing is connected before ``run()`` runs; calls wait for it. Add the client to a `ServiceGroup`, or use
/// ``withGRPCEventClient(_:_:)``. A server that cannot be reached is tried again, for as long as the client runs.
///
/// ## When the connection is lost
///
/// Loops go on: the consumer registers again under its name, and goes on where it was. What was not acknowledged is delivered
/// again, with a higher attempt; nothing else is, and nothing is missed. A delivery of before cannot be settled any more:
/// that throws code `leaseExpired`, also where the answer was lost and it was settled. A loop that asks for the next event
/// does not wait until the server has recorded that it is done with the one before; where that matters, call
/// `Delivery.acknowledge()`, which does.
///
/// A temporary consumer's position goes with the connection, so in broadcast mode its loop ends with code `unknownConsumer`.
/// A loop also ends where another attempt would be for nothing: codes `consumerReplaced`, `unknownSubscription`,
/// `unauthenticated`, `permissionDenied`, `unsupported`, `invalidConfiguration` and the like.
///
/// What is emitted is sent again under the same ids until the server has answered or the call's time is over, so it is kept
/// once. Commands and queries are sent once; with an idempotency key, sending a command again is safe.
///
/// ## Shutting down
///
/// On a graceful shutdown loops end, what they were done with is settled, and what they held is given back, without
/// counting an attempt. Cancelling ``run()`` does so without waiting for anybody.
public final class GRPCEventClient: Service {
    /// Takes commands to the server: those that were declared with ``GRPCEventClientBuilder/addCommand(_:)-(C.Type)``.
    public var commands: CommandBus { client.commands }
    /// Takes queries to the server: those that were declared with ``GRPCEventClientBuilder/addQuery(_:)``.
    public var queries: QueryBus { client.queries }
    /// Emits events into streams of the server.
    public var emitter: EventEmitter { client.emitter }

    let client: DeliveryClient
    let connection: GRPCConnection

    /// Creates a client. Connects to nobody yet.
    ///
    /// - Parameters:
    ///   - options: How the server is reached.
    ///   - configure: Declares events, commands and queries.
    /// - Throws: `EventStreamingError` with code `invalidConfiguration` and all problems, or what `configure` throws.
    public init(
        _ options: GRPCClientOptions,
        configure: (inout GRPCEventClientBuilder) throws -> Void = { _ in }
    ) throws {
        var builder = GRPCEventClientBuilder()
        builder.client.prefetch = options.prefetch
        builder.client.reconnects = options.reconnects
        try configure(&builder)
        connection = try GRPCConnection(
            options,
            codec: builder.options.codec,
            clock: builder.options.clock,
            logger: builder.options.logger
        )
        client = try DeliveryClient(over: connection, builder.client)
    }

    /// Keeps the client connected until it shuts down or the task is cancelled.
    ///
    /// - Throws: `EventStreamingError` with code `alreadyRunning`, or `shutDown` after an earlier run; `CancellationError`
    ///   when the task was cancelled.
    @concurrent
    public func run() async throws {
        try await withGracefulShutdownHandler {
            try await client.run {
                await self.connection.runConnections()
            } end: {
                self.connection.end()
            }
        } onGracefulShutdown: {
            self.beginShutdown()
        }
    }

    /// Begins a graceful shutdown; ``run()`` returns when it is done. Later calls do nothing.
    public func beginShutdown() {
        client.beginShutdown()
    }

    // MARK: - Subscribing

    /// The deliveries of a subscription of the server to a consumer with a name; as `EventStreaming.subscribe(to:as:from:)`.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - consumer: The consumer's name. A consumer that registers takes over from any other under the same name.
    ///   - start: Where a consumer begins that has no position yet, where each has its own; by default where the
    ///     subscription says.
    /// - Returns: A sequence; nothing happens before its loop begins. Whether there is such a subscription shows then.
    /// - Throws: `EventStreamingError` with code `invalidName`, `shuttingDown` or `shutDown`.
    public func subscribe(
        to subscription: String,
        as consumer: String,
        from start: StartPosition? = nil
    ) throws(EventStreamingError) -> Subscription {
        try client.subscribe(to: subscription, as: consumer, from: start)
    }

    /// The deliveries of a subscription of the server to a temporary consumer, whose name is made up and whose position goes
    /// with it; as `EventStreaming.subscribe(to:from:)`.
    ///
    /// - Throws: `EventStreamingError` with code `invalidName`, `shuttingDown` or `shutDown`.
    public func subscribe(
        to subscription: String,
        from start: StartPosition? = nil
    ) throws(EventStreamingError) -> Subscription {
        try client.subscribe(to: subscription, as: nil, from: start)
    }

    /// Calls `body` with the deliveries to a consumer that is registered before and unregistered afterwards; as
    /// `EventStreaming.withSubscription(to:as:from:_:)`.
    ///
    /// - Returns: What `body` returns.
    /// - Throws: as ``subscribe(to:as:from:)``, what registering throws, and what `body` throws.
    @discardableResult
    public func withSubscription<Result>(
        to subscription: String,
        as consumer: String? = nil,
        from start: StartPosition? = nil,
        _ body: (Subscription) async throws -> Result
    ) async throws -> Result {
        try await client.withSubscription(to: subscription, as: consumer, from: start, body)
    }
}

/// Runs a client for as long as `body` takes, and shuts it down gracefully afterwards.
///
/// - Parameters:
///   - client: The client; it must not run yet, and cannot be used afterwards.
///   - body: What to do meanwhile. Loops that it leaves running in other tasks end with the client.
/// - Returns: What `body` returns, after the client has shut down.
/// - Throws: What `body` or ``GRPCEventClient/run()`` throws, whichever fails first, after the other has ended.
@discardableResult
public func withGRPCEventClient<Success: Sendable>(
    _ client: GRPCEventClient,
    _ body: @escaping @Sendable (GRPCEventClient) async throws -> Success
) async throws -> Success {
    try await withRunningService {
        try await client.run()
    } stop: {
        client.beginShutdown()
    } body: {
        try await body(client)
    }
}
