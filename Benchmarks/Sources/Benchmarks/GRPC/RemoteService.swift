import EventStreaming
import EventStreamingGRPC

/// A service with one stream, in memory, one subscription to it, and a gRPC server on this machine.
enum RemoteService {
    static let subscription = "benchmark"
    static let stream = "events"

    /// Runs `body` with a running service and the port of its server.
    static func run<Result: Sendable>(
        type: StreamType = .ephemeral,
        hasSubscription: Bool = true,
        _ change: (inout GRPCServerOptions) -> Void = { _ in },
        _ body: @escaping @Sendable (EventStreaming, Int) async throws -> Result
    ) async throws -> Result {
        let streaming = try EventStreaming(storage: .inMemory) { streaming in
            streaming.options.codec = PacketCodec()
            streaming.addStream(BenchmarkWorkflow.self) { stream in
                stream.name = self.stream
                stream.type = type
            }
            streaming.addEvent(StoredPacket.self)
            guard hasSubscription else { return }
            streaming.addSubscription(subscription) { subscription in
                subscription.stream(BenchmarkWorkflow.self)
                subscription.mode = .exclusive
            }
        }
        let provider = GRPCEventDeliveryProvider(streaming) { server in
            server.port = 0
            change(&server)
        }
        return try await withEventStreaming(streaming) { streaming in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await provider.run() }
                defer { provider.beginShutdown() }
                guard let port = await provider.port else { throw Problem("The server does not listen.") }
                let result = try await body(streaming, port)
                provider.beginShutdown()
                try await group.waitForAll()
                return result
            }
        }
    }

    /// Runs `body` with a client of the server at this port.
    static func withClient<Result: Sendable>(
        port: Int,
        prefetch: Int = 256,
        _ body: @escaping @Sendable (GRPCEventClient) async throws -> Result
    ) async throws -> Result {
        var options = GRPCClientOptions(host: "127.0.0.1", port: port)
        options.prefetch = prefetch
        let client = try GRPCEventClient(options) { client in
            client.options.codec = PacketCodec()
            client.addStream(BenchmarkWorkflow.self, name: stream)
            client.addEvent(StoredPacket.self)
        }
        return try await withGRPCEventClient(client, body)
    }
}
