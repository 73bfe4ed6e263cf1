import EventStreaming
import EventStreamingCore
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import Synchronization

/// One transport to the server, from when it is made until it is dropped for another one.
///
/// The link finds out by itself that the other side is gone without a word. While calls are under way over which nothing is
/// heard, it asks for the server's health; any answer will do. The keep-alive of HTTP/2 is not relied on: in the transport it
/// has no hold on a connection that was never answered, and does not come back when all calls were over once.
final class GRPCLink: Sendable {
    typealias Transport = HTTP2ClientTransport.Posix

    /// Why a link is not to be used any longer.
    enum End: Sendable {
        /// Nothing was heard for as long as is allowed.
        case silent
        /// The transport has ended.
        case over
    }

    /// For calls whose messages are not the generated ones.
    let client: GRPCClient<Transport>
    let delivery: WireEventDelivery.Client<Transport>
    let messages: WireMessages.Client<Transport>
    private let health: WireHealth.Client<Transport>
    private let clock: any EventStreamingClock
    private let options: GRPCClientOptions
    private let logger: Logger
    private let state: Mutex<GRPCLinkState>
    /// Notified when the first of several calls begins, and when the link ends.
    private let changes = Signal()

    /// - Throws: `invalidConfiguration` for files of TLS that cannot be read.
    init(
        _ options: GRPCClientOptions,
        clock: any EventStreamingClock,
        logger: Logger
    ) throws(EventStreamingError) {
        self.options = options
        self.clock = clock
        self.logger = logger
        client = GRPCClient(transport: try options.makeTransport())
        delivery = WireEventDelivery.Client(wrapping: client)
        messages = WireMessages.Client(wrapping: client)
        health = WireHealth.Client(wrapping: client)
        state = Mutex(GRPCLinkState(interval: options.keepAliveInterval))
    }

    // MARK: - Calls

    /// Makes a call, which ends with code `storeUnavailable` when the link is dropped.
    func call<Result: Sendable>(
        _ body: @escaping @Sendable (GRPCLink) async throws -> Result
    ) async throws -> Result {
        guard let isFirst = state.withLock({ $0.begin(now: clock.uptime) }) else { throw Self.lost }
        if isFirst {
            changes.notify()
        }
        defer {
            if state.withLock({ $0.endCall() }) {
                drop()
            }
        }
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                await self.waitUntilDropped()
                return nil
            }
            group.addTask { try await body(self) }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result {
                    heard(now: clock.uptime)
                    return result
                }
                if state.withLock({ $0.isDropped }) { break }
            }
            throw Self.lost
        }
    }

    private static var lost: EventStreamingError {
        EventStreamingError(.storeUnavailable, "The connection was given up.")
    }

    /// Why there is no connection, where that is known.
    var failure: (any Error)? { state.withLock { $0.failure } }

    /// Something has come from the server.
    func heard(now: Duration) {
        state.withLock { $0.heard(now: now) }
    }

    // MARK: - Life

    /// Keeps the connection until the link is dropped.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            // What it throws says no more than that it has ended.
            group.addTask { try? await self.client.runConnections() }
            group.addTask { await self.waitUntilDropped() }
            await group.next()
            group.cancelAll()
        }
        state.withLock { $0.finish() }
        changes.notify()
    }

    /// Begins no new calls, and drops the link when those under way are over.
    func end() {
        if state.withLock({ $0.end() }) {
            drop()
        }
    }

    /// Ends all calls, and the connection, at once.
    func drop() {
        if state.withLock({ $0.drop() }) {
            changes.notify()
        }
    }

    private func waitUntilDropped() async {
        while !Task.isCancelled {
            let version = changes.version
            if state.withLock({ $0.isDropped }) { return }
            await changes.wait(since: version)
        }
    }

    // MARK: - Silence

    /// Returns when another link should be made; `nil` when the task was cancelled.
    func waitForEnd() async -> End? {
        while !Task.isCancelled {
            let version = changes.version
            switch state.withLock({ $0.next(now: clock.uptime) }) {
            case .wait: await changes.wait(since: version)
            case .waitUntil(let due): await changes.wait(since: version, until: due, clock: clock)
            case .probe(let quietSince):
                let answer = await probe()
                if Task.isCancelled { return nil }
                switch answer {
                case .some(.success): heard(now: clock.uptime)
                case .some(.failure(let error)): tell(error)
                case nil: if state.withLock({ $0.isSilent(since: quietSince) }) { return .silent }
                }
            case .end: return .over
            }
        }
        return nil
    }

    private func tell(_ error: RPCError) {
        guard state.withLock({ $0.unreachable(error, now: clock.uptime) }) else { return }
        logger.warning("The server cannot be reached; it is tried on.", metadata: ["error": "\(error)"])
    }

    /// - Returns: `nil` when nothing came in time; why there is no connection, where there is none.
    private func probe() async -> Result<Void, RPCError>? {
        await withTaskGroup(of: Result<Void, RPCError>?.self) { group in
            group.addTask {
                var options = CallOptions.defaults
                options.waitForReady = false
                do {
                    _ = try await self.health.check(WireHealthCheckRequest(), options: options)
                } catch let error as RPCError where error.code == .unavailable {
                    return .failure(error)
                } catch {
                    // An answer all the same.
                }
                return .success(())
            }
            group.addTask {
                try? await self.clock.sleep(until: self.clock.uptime + self.options.keepAliveTimeout)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
