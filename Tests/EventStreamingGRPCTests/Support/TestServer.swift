import EventStreaming
import EventStreamingGRPC
import EventStreamingTesting
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import ServiceLifecycle
import Testing

struct ShopWorkflow: Workflow {
    static var streamName: String { "shop" }
}

struct OrderPlaced: Event, Equatable {
    typealias Process = ShopWorkflow
    var number: Int
}

/// A service with a stream and one subscription of each kind, on a server that listens at a port of this machine.
struct TestServer: Sendable {
    let streaming: EventStreaming
    let provider: GRPCEventDeliveryProvider
    let clock: ManualClock
    let port: Int

    /// What a test has otherwise than the others.
    struct Settings: Sendable {
        fileprivate let messages: RemoteMessages
        fileprivate let service: @Sendable (inout EventStreamingBuilder) throws -> Void
        fileprivate let subscriptions: @Sendable (inout SubscriptionConfiguration) -> Void
        fileprivate let options: @Sendable (inout GRPCServerOptions) throws -> Void

        /// - Parameters:
        ///   - messages: What can be sent by name.
        ///   - service: Changes the service.
        ///   - subscriptions: Changes what all subscriptions have in common.
        ///   - options: Changes the server's options.
        static func with(
            messages: RemoteMessages = RemoteMessages(),
            service: @escaping @Sendable (inout EventStreamingBuilder) throws -> Void = { _ in },
            subscriptions: @escaping @Sendable (inout SubscriptionConfiguration) -> Void = { _ in },
            options: @escaping @Sendable (inout GRPCServerOptions) throws -> Void = { _ in }
        ) -> Settings {
            Settings(messages: messages, service: service, subscriptions: subscriptions, options: options)
        }
    }

    /// Runs a server around `body`.
    static func run(
        _ settings: Settings = .with(),
        _ body: @Sendable (TestServer) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        let streaming = try makeService(settings, clock)
        let provider = try GRPCEventDeliveryProvider(streaming, messages: settings.messages) { server in
            server.port = 0
            try settings.options(&server)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await provider.run() }
            do {
                let port = try #require(await provider.port)
                try await body(TestServer(streaming: streaming, provider: provider, clock: clock, port: port))
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            // A connection that was made at this moment is waited for, for some time of the service's clock.
            let passing = clock.passing()
            defer { passing.cancel() }
            // Ended by cancellation, unless the test has shut it down before.
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    private static func makeService(_ settings: Settings, _ clock: ManualClock) throws -> EventStreaming {
        try EventStreaming { streaming in
            streaming.options.clock = clock
            streaming.addStream(ShopWorkflow.self) { stream in
                stream.type = .persistent
                stream.isReplayEnabled = true
            }
            for (name, mode) in [
                ("queue", SubscriptionMode.exclusive), ("news", .broadcast), ("group", .consumerGroup),
                ("notes", .readReceipt),
            ] {
                streaming.addSubscription(name) { subscription in
                    subscription.stream(ShopWorkflow.self)
                    subscription.mode = mode
                    settings.subscriptions(&subscription)
                }
            }
            try settings.service(&streaming)
        }
    }

    /// The same server, whose clients take the way by another port.
    func reached(by port: Int) -> TestServer {
        TestServer(streaming: streaming, provider: provider, clock: clock, port: port)
    }

    /// Emits orders with these numbers.
    func place(_ numbers: ClosedRange<Int>) async throws {
        try await streaming.emitter.emit(numbers.map { OrderPlaced(number: $0) })
    }

    /// Calls `body` with a client of its own connection, which is closed afterwards. Not in good order: when the server ends
    /// its side at the same moment, the transport of a client may wait for ever.
    func withClient<Result: Sendable>(
        security: HTTP2ClientTransport.Posix.TransportSecurity = .plaintext,
        window: Int? = nil,
        _ body: @escaping @Sendable (GRPCClient<HTTP2ClientTransport.Posix>) async throws -> Result
    ) async throws -> Result {
        let client = GRPCClient(
            transport: try HTTP2ClientTransport.Posix(
                target: .ipv4(address: "127.0.0.1", port: port),
                transportSecurity: security,
                config: .defaults { config in
                    if let window { config.http2.targetWindowSize = window }
                }
            )
        )
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.runConnections() }
            defer { group.cancelAll() }
            return try await body(client)
        }
    }

    /// Opens a `Subscribe` call on a connection of its own.
    func withSubscriber<Result: Sendable>(
        _ subscription: String = "queue",
        as consumer: String = "",
        credit: (events: Int64, bytes: Int64)? = (1000, 1 << 20),
        token: String? = nil,
        window: Int? = nil,
        _ body: @escaping @Sendable (inout RawSubscriber) async throws -> Result
    ) async throws -> Result {
        try await withClient(window: window) { client in
            try await RawSubscriber.with(client, token: token) { subscriber in
                subscriber.send { frame in
                    frame.open.protocolVersion = 1
                    frame.open.subscription = subscription
                    frame.open.consumer = consumer
                    if let credit {
                        frame.open.credit.events = credit.events
                        frame.open.credit.bytes = credit.bytes
                    }
                }
                return try await body(&subscriber)
            }
        }
    }
}

extension Metadata {
    static func token(_ token: String?) -> Metadata {
        token.map { ["authorization": .string("Bearer \($0)")] } ?? [:]
    }
}

/// The stable code of what a call ended with; `nil` when it did not fail.
func wireCode(_ body: () async throws -> Void) async -> String? {
    do {
        try await body()
        return nil
    } catch let error as RPCError {
        return error.wireCode ?? "status \(error.code)"
    } catch {
        return "\(error)"
    }
}

extension RPCError {
    /// The stable code in the trailing metadata, which must be that of the details.
    var wireCode: String? {
        guard let code = metadata[stringValues: "eventstreaming-error-code"].first(where: { _ in true }) else {
            return nil
        }
        return eventStreamingDetail?.code == code ? code : "details differ from \(code)"
    }
}
