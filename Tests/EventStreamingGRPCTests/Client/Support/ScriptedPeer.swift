import EventStreamingGRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Synchronization
import Testing

/// A server that says what a test wants, for what a good server never sends.
final class ScriptedPeer: WireEventDelivery.SimpleServiceProtocol {
    typealias Requests = AsyncThrowingStream<WireSubscribeRequest, any Error>
    typealias Writer = RPCWriter<WireSubscribeResponse>

    /// What happens in one call of `Subscribe`, after the client has opened; the last one is repeated.
    typealias Script = @Sendable (_ requests: Requests, _ writer: Writer) async throws -> Void

    private let scripts: [Script]
    private let calls = Mutex(0)
    private let health = HealthCounter()

    init(_ scripts: [Script]) {
        self.scripts = scripts
    }

    /// How often a consumer was opened.
    var callCount: Int { calls.withLock { $0 } }

    /// How often its health was asked for.
    var healthChecks: Int { health.checks.withLock { $0 } }

    /// Runs a server with these scripts around `body`.
    static func run(
        _ scripts: [Script],
        _ body: @Sendable (ScriptedPeer, _ port: Int) async throws -> Void
    ) async throws {
        let peer = ScriptedPeer(scripts)
        let server = GRPCServer(
            transport: .http2NIOPosix(address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext),
            services: [peer, peer.health]
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.serve() }
            let port = try #require(try await server.listeningAddress?.ipv4?.port)
            try await body(peer, port)
            group.cancelAll()
        }
    }

    func subscribe(
        request: RPCAsyncSequence<WireSubscribeRequest, any Error>,
        response: RPCWriter<WireSubscribeResponse>,
        context: ServerContext
    ) async throws {
        let (requests, continuation) = Requests.makeStream()
        let call = calls.withLock { calls in
            calls += 1
            return calls
        }
        let script = scripts[min(call, scripts.count) - 1]
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await frame in request {
                    if case .open = frame.frame { continue }
                    continuation.yield(frame)
                }
                continuation.finish()
            }
            try await script(requests, response)
            group.cancelAll()
        }
    }

    func publish(request: WirePublishRequest, context: ServerContext) async throws -> WirePublishResponse {
        throw RPCError(code: .unimplemented, message: "")
    }

    func publishStream(
        request: RPCAsyncSequence<WirePublishStreamRequest, any Error>,
        response: RPCWriter<WirePublishStreamResponse>,
        context: ServerContext
    ) async throws {
        throw RPCError(code: .unimplemented, message: "")
    }

    func replay(
        request: WireReplayRequest,
        response: RPCWriter<WireReplayResponse>,
        context: ServerContext
    ) async throws {
        throw RPCError(code: .unimplemented, message: "")
    }
}

/// Is always well, and counts who asks.
private final class HealthCounter: WireHealth.SimpleServiceProtocol {
    let checks = Mutex(0)

    func check(request: WireHealthCheckRequest, context: ServerContext) async throws -> WireHealthCheckResponse {
        checks.withLock { $0 += 1 }
        var response = WireHealthCheckResponse()
        response.status = .serving
        return response
    }

    func watch(
        request: WireHealthCheckRequest,
        response: RPCWriter<WireHealthCheckResponse>,
        context: ServerContext
    ) async throws {
        throw RPCError(code: .unimplemented, message: "")
    }
}

extension WireSubscribeResponse {
    static func make(_ fill: (inout WireSubscribeResponse) -> Void) -> WireSubscribeResponse {
        var response = WireSubscribeResponse()
        fill(&response)
        return response
    }

    /// The consumer is registered.
    static func opened(heartbeatInterval: Int64 = 10_000, maximumFrameBytes: Int64 = 1 << 20) -> WireSubscribeResponse {
        make { response in
            response.opened.protocolVersion = 1
            response.opened.consumer = "a"
            response.opened.registrationEpoch = 1
            response.opened.stream = "shop"
            response.opened.mode = .exclusive
            response.opened.semantics = .atLeastOnce
            response.opened.visibilityTimeoutMs = 30_000
            response.opened.consumerTimeoutMs = 30_000
            response.opened.heartbeatIntervalMs = heartbeatInterval
            response.opened.maxFrameBytes = maximumFrameBytes
            response.opened.maxCreditEvents = 1000
            response.opened.maxCreditBytes = 1 << 20
        }
    }

    /// A lease of orders at these offsets.
    static func batch(
        _ offsets: [Int64],
        epoch: UInt64 = 1,
        isLast: Bool = true,
        change: (inout WireBatch) -> Void = { _ in }
    ) -> WireSubscribeResponse {
        make { response in
            response.batch.leaseEpoch = epoch
            response.batch.offsets.begin = offsets.min() ?? 0
            response.batch.offsets.end = (offsets.max() ?? 0) + 1
            response.batch.attempt = 1
            response.batch.needsSettlement = true
            response.batch.isLast = isLast
            response.batch.events = offsets.map { offset in
                var event = WireEvent()
                event.offset = offset
                event.id.high = 1
                event.id.low = UInt64(offset)
                event.type = "OrderPlaced"
                event.version = 1
                event.payloadBytes = Array("{\"number\":\(offset)}".utf8)
                return event
            }
            change(&response.batch)
        }
    }
}
