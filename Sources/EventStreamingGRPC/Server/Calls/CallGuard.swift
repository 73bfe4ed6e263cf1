import EventStreaming
import EventStreamingCore
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import Synchronization

/// Stands before every call: finds out who calls, counts the calls, and gives every error its status and code.
struct CallGuard: ServerInterceptor {
    let access: AccessControl
    let clock: any EventStreamingClock
    let logger: Logger
    let calls: OpenCalls
    /// The services that everybody may call, because they tell of nothing but health and names.
    private static let open: Set<String> = ["grpc.health.v1.Health"]

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>,
        context: ServerContext,
        next:
            @concurrent @Sendable (StreamingServerRequest<Input>, ServerContext) async throws ->
            StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let caller: Caller
        do throws(EventStreamingError) {
            caller = try await self.caller(request.metadata, context)
        } catch {
            logger.info(
                "A call was refused.",
                metadata: [
                    "method": "\(context.descriptor)", "peer": "\(context.remotePeer)", "code": "\(error.code)",
                ]
            )
            throw error.asRPCError
        }
        let place: OpenCalls.Place
        do throws(EventStreamingError) {
            place = try calls.enter(caller.identity == .anonymous ? context.remoteHost : caller.identity.name)
        } catch {
            throw error.asRPCError
        }
        let response = try await withStatus(context) {
            try await Caller.$current.withValue(caller) { try await next(request, context) }
        }
        switch response.accepted {
        case .failure(let error):
            throw Self.withDetail(error)
        case .success(var contents):
            let producer = contents.producer
            contents.producer = { writer in
                // The place is kept until the response is complete.
                defer { place.leave() }
                return try await withStatus(context) {
                    try await Caller.$current.withValue(caller) { try await producer(writer) }
                }
            }
            var response = response
            response.accepted = .success(contents)
            return response
        }
    }

    private func caller(_ metadata: Metadata, _ context: ServerContext) async throws(EventStreamingError) -> Caller {
        let origin = ConnectedPeer.Origin(address: context.remotePeer, since: clock.now)
        if Self.open.contains(context.descriptor.service.fullyQualifiedService) {
            return Caller(identity: .anonymous, origin: origin)
        }
        let credentials = PeerCredentials(
            bearerToken: metadata.bearerToken,
            certificateNames: context.certificateNames,
            address: context.remotePeer
        )
        let identity = try await access.authenticate(credentials)
        if let expiry = identity.expiresAt, clock.now >= expiry {
            throw EventStreamingError(.unauthenticated, "The credentials have expired.")
        }
        let hasDeadline = metadata[stringValues: "grpc-timeout"].contains { _ in true }
        return Caller(identity: identity, origin: origin, hasDeadline: hasDeadline)
    }

    /// Calls `body`, and gives what it throws a status and a code.
    private func withStatus<Result>(
        _ context: ServerContext,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch let error as EventStreamingError {
            throw error.asRPCError
        } catch let error as RPCError {
            throw Self.withDetail(error)
        } catch is CancellationError {
            throw EventStreamingError(.cancelled, "The call was cancelled.").asRPCError
        } catch {
            logger.warning(
                "A call from another process failed.",
                metadata: [
                    "method": "\(context.descriptor)", "peer": "\(context.remotePeer)", "error": "\(error)",
                ]
            )
            throw EventStreamingError.internalError.asRPCError
        }
    }

    /// An error of the transport or of the decoder, with our code.
    private static func withDetail(_ error: RPCError) -> RPCError {
        guard error.metadata[stringValues: WireErrorDetail.metadataKey].first(where: { _ in true }) == nil else {
            return error
        }
        var detailed = EventStreamingError(error).asRPCError
        detailed.code = error.code
        return detailed
    }
}

/// Counts the open calls of every peer.
final class OpenCalls: Sendable {
    private let limit: Int
    private let counts = Mutex<[String: Int]>([:])

    init(limit: Int) {
        self.limit = limit
    }

    /// One open call.
    final class Place: Sendable {
        private let peer: String
        private let calls: OpenCalls
        private let isLeft = Atomic(false)

        init(_ peer: String, _ calls: OpenCalls) {
            self.peer = peer
            self.calls = calls
        }

        /// The call has ended; later calls do nothing.
        func leave() {
            guard !isLeft.exchange(true, ordering: .relaxed) else { return }
            calls.leave(peer)
        }

        deinit {
            leave()
        }
    }

    /// - Throws: `limitExceeded` when the peer has as many open calls as it may.
    func enter(_ peer: String) throws(EventStreamingError) -> Place {
        let isAdmitted = counts.withLock { counts in
            guard counts[peer, default: 0] < limit else { return false }
            counts[peer, default: 0] += 1
            return true
        }
        guard isAdmitted else {
            throw EventStreamingError(
                .limitExceeded,
                "The caller has \(limit) open calls, which is the limit; end some of them first."
            )
        }
        return Place(peer, self)
    }

    private func leave(_ peer: String) {
        counts.withLock { counts in
            guard let count = counts[peer] else { return }
            counts[peer] = count > 1 ? count - 1 : nil
        }
    }
}

extension EventStreamingError {
    /// What is told of an error that is not ours: nothing, as it may hold what is nobody's business outside.
    static var internalError: EventStreamingError {
        EventStreamingError(.handlerFailed, "The service failed; its log says why.")
    }
}

extension Metadata {
    /// The token of `authorization: Bearer …`.
    fileprivate var bearerToken: String? {
        for value in self[stringValues: "authorization"] {
            let parts = value.split(separator: " ", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == "bearer" {
                return String(parts[1].drop { $0 == " " })
            }
        }
        return nil
    }
}

extension ServerContext {
    /// The address without the port, so that all connections from one place count together.
    fileprivate var remoteHost: String {
        guard let end = remotePeer.lastIndex(of: ":") else { return remotePeer }
        return String(remotePeer[..<end])
    }
}
