public import EventStreaming
public import EventStreamingCore
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import ServiceLifecycle

/// Serves an ``/EventStreaming/EventStreaming`` to other processes over gRPC: they consume its subscriptions, publish to its
/// streams, replay them, and send the commands and queries that are offered.
///
/// ## Creating
///
/// Nothing listens before ``run()``. Add both services to a `ServiceGroup`, the ``/EventStreaming/EventStreaming`` first, so that
/// this one ends before it.
///
/// ## Who may do what
///
/// Without an authenticator, only this machine can connect, and may do everything. To listen elsewhere, set
/// ``GRPCServerOptions/security``, ``GRPCServerOptions/authenticator`` and ``GRPCServerOptions/authorizer``; ``run()`` refuses otherwise.
///
/// ## What is guaranteed
///
/// A consumer over the wire is a consumer like any other: registered in the store, kept alive while its peer gives signs of
/// life, fenced by the epoch of its registration. When its peer leaves in good order, or the server shuts down, what it held goes
/// to others without counting an attempt; when the connection is lost or silent for three
/// ``GRPCServerOptions/heartbeatInterval``, it counts as one. Events are sent as far as the peer's credit goes: one that does not
/// read costs one lease in memory, and slows nobody else.
///
/// ## Shutting down
///
/// On a graceful shutdown no more events are sent, consumers are told and may settle what they hold within
/// ``GRPCServerOptions/drainTimeout``, their calls end with a reason, and connections are closed. Cancelling ``run()`` closes
/// everything at once.
public final class GRPCEventDeliveryProvider: EventDeliveryProvider {
    private let streaming: EventStreaming
    private let provider: InProcessDeliveryProvider
    private let options: GRPCServerOptions
    private let messages: RemoteMessages
    private let registry = PeerRegistry()
    private let serving = ServingState()

    /// Creates a server.
    ///
    /// - Parameters:
    ///   - streaming: The service to serve.
    ///   - messages: The commands and queries that may be sent by name; none by default.
    ///   - configure: Changes the options.
    public init(
        _ streaming: EventStreaming,
        messages: RemoteMessages = RemoteMessages(),
        configure: (inout GRPCServerOptions) throws -> Void = { _ in }
    ) rethrows {
        var options = GRPCServerOptions()
        try configure(&options)
        self.streaming = streaming
        self.options = options
        self.messages = messages
        provider = streaming.deliveryProvider
    }

    // MARK: - What is going on

    /// The port that the server listens at; returns when it does, `nil` when it has ended, or the task is cancelled.
    public var port: Int? {
        get async {
            while !Task.isCancelled {
                let version = serving.changes.version
                if let port = serving.port { return port }
                if serving.isStopping { return nil }
                await serving.changes.wait(since: version)
            }
            return nil
        }
    }

    /// The consumers in other processes that are connected now, in no order.
    public var peers: [ConnectedPeer] { registry.peers }

    /// Whether the server listens, and its service accepts work.
    public var health: EventDeliveryHealth {
        get async {
            if serving.isStopping { return EventDeliveryHealth(.ended, reason: "The server is shutting down.") }
            guard serving.port != nil else {
                return EventDeliveryHealth(.unavailable, reason: "The server does not listen yet.")
            }
            return await provider.health
        }
    }

    // MARK: - In the process

    /// Makes appends to the service's streams, as its own provider does.
    public func publish(_ appends: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        await provider.publish(appends)
    }

    /// Registers a consumer in this process, as the service's own provider does.
    public func connect(
        _ request: ConsumerRequest,
        onChange: @escaping @Sendable () -> Void
    ) async throws(EventStreamingError) -> any DeliveryConsumer {
        try await provider.connect(request, onChange: onChange)
    }

    // MARK: - Running

    /// Serves until the service shuts down or the task is cancelled; see *Shutting down*.
    ///
    /// - Throws: `EventStreamingError` with code `invalidConfiguration` for options outside what is allowed, among them an
    ///   address that others can reach without encryption and authentication; `alreadyRunning` at the second call;
    ///   `storeUnavailable` when the address cannot be listened at; `CancellationError` when the task was cancelled.
    @concurrent
    public func run() async throws {
        guard serving.start() else {
            throw EventStreamingError(.alreadyRunning, "This server runs already, or did; create a new one.")
        }
        // Whoever waits for the port learns that there is none.
        defer { serving.stop() }
        try options.check(maximumPayloadBytes: streaming.maximumPayloadBytes)
        warnAboutInsecurity()
        let transport = HTTP2ServerTransport.Posix(
            address: options.address,
            transportSecurity: options.transportSecurity,
            config: options.transportConfig(ConnectionCounter(limit: options.limits.maximumConnections))
        )
        let server = makeServer(transport)
        // Not a child task: cancelled while connections come in, the transport would take the process down.
        let listening = Task { try await serve(server) }
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withDiscardingTaskGroup { group in
                    group.addTask { await self.tellPort(transport) }
                    group.addTask { await self.end(server, listening) }
                    _ = await listening.result
                    group.cancelAll()
                }
            } onGracefulShutdown: {
                self.beginShutdown()
            }
        } onCancel: {
            self.beginShutdown()
        }
        try Task.checkCancellation()
        try await listening.value
    }

    /// Begins a graceful shutdown; ``run()`` returns when it is done. Later calls do nothing.
    public func beginShutdown() {
        serving.stop()
    }

    private func makeServer(_ transport: HTTP2ServerTransport.Posix) -> GRPCServer<HTTP2ServerTransport.Posix> {
        let access = AccessControl(options)
        let context = ServerEnvironment(
            provider: provider,
            clock: streaming.clock,
            logger: streaming.logger,
            options: options,
            access: access,
            registry: registry
        )
        var names: Set<String> = [
            WireEventDelivery.descriptor.fullyQualifiedService, WireMessages.descriptor.fullyQualifiedService,
            WireHealth.descriptor.fullyQualifiedService,
        ]
        if options.hasReflection {
            names.insert(WireServerReflection.descriptor.fullyQualifiedService)
        }
        var services: [any RegistrableRPCService] = [
            DeliveryService(streaming: streaming, server: context),
            MessagesService(streaming: streaming, messages: messages, server: context),
            HealthService(provider: provider, server: serving, services: names),
        ]
        if options.hasReflection {
            services.append(ReflectionService(services: Array(names)))
        }
        let callGuard = CallGuard(
            access: access,
            clock: streaming.clock,
            logger: streaming.logger,
            calls: OpenCalls(limit: options.limits.maximumCallsPerPeer)
        )
        return GRPCServer(transport: transport, services: services, interceptors: [callGuard])
    }
}

// MARK: - Parts of running

extension GRPCEventDeliveryProvider {
    private func serve(_ server: GRPCServer<HTTP2ServerTransport.Posix>) async throws {
        do {
            try await server.serve()
        } catch {
            // Ended before it began, or by us.
            if serving.isStopping { return }
            throw EventStreamingError(
                .storeUnavailable,
                "The server cannot listen at \(options.host), port \(options.port), or had to stop.",
                underlying: error
            )
        }
    }

    private func tellPort(_ transport: HTTP2ServerTransport.Posix) async {
        guard let address = try? await transport.listeningAddress else { return }
        serving.listening(at: address.ipv4?.port ?? address.ipv6?.port ?? options.port)
        streaming.logger.info("The gRPC server listens.", metadata: ["address": "\(address)"])
    }

    /// Waits for the end, and then ends what is open: in good order, or, when it was cancelled, at once.
    private func end(
        _ server: GRPCServer<HTTP2ServerTransport.Posix>,
        _ listening: Task<Void, any Error>
    ) async {
        await serving.waitUntilStopping()
        if !Task.isCancelled { await drain() }
        registry.end()
        server.beginGracefulShutdown()
        // Peers that do not let go of their connections have a little while; also where this task is cancelled.
        let patience = Task {
            do {
                try await streaming.clock.sleep(until: streaming.clock.uptime + options.closeTimeout)
                listening.cancel()
            } catch {
                // All let go in time.
            }
        }
        _ = await listening.result
        patience.cancel()
    }

    /// Has consumers settle what they hold, and waits until they have ended, or for ``GRPCServerOptions/drainTimeout``.
    private func drain() async {
        let deadline = streaming.clock.uptime + options.drainTimeout
        registry.drain()
        while !Task.isCancelled, !registry.isEmpty, streaming.clock.uptime < deadline {
            let version = registry.changes.version
            guard !registry.isEmpty else { break }
            await registry.changes.wait(since: version, until: deadline, clock: streaming.clock)
        }
    }

    private func warnAboutInsecurity() {
        guard !options.isLocal, !options.security.isEncrypted || options.authenticator == nil else { return }
        streaming.logger.warning(
            "The gRPC server listens where others can reach it, without encryption or without asking who calls.",
            metadata: ["address": "\(options.host)"]
        )
    }
}
