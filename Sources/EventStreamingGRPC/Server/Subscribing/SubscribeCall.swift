import EventStreaming
import EventStreamingCore
import GRPCCore
import Logging
import Synchronization

/// One `Subscribe` call on the server: drives a consumer of the service for a peer.
///
/// Three tasks share a ``SubscribeState``. One reads the peer's frames, and stops reading while too many wait. One works:
/// it asks the consumer, settles and writes, and waits where the peer does not read. One keeps time: it gives signs of life
/// for the peer as long as the peer gives some, and ends the call when it does not.
final class SubscribeCall: Sendable {
    let server: ServerEnvironment
    let peer: ConnectedPeer.Origin
    let identity: PeerIdentity
    let state: Mutex<SubscribeState>
    /// Notified when the state has changed from outside of the worker.
    let changes = Signal()
    /// Notified when the consumer was connected and when the call ends, for who keeps time.
    let turns = Signal()
    /// Notified when waiting requests were taken.
    private let room = Signal()
    private let consumer = Mutex<(any DeliveryConsumer)?>(nil)
    private let opening = Mutex<WireOpen?>(nil)
    /// The frame that was read last, until it is its turn.
    private let kept = Mutex<WireSubscribeRequest?>(nil)

    init(server: ServerEnvironment, peer: ConnectedPeer.Origin, identity: PeerIdentity) {
        self.server = server
        self.peer = peer
        self.identity = identity
        let limits = server.options.limits
        state = Mutex(
            SubscribeState(
                credit: SendCredit(
                    maximum: (Int64(limits.maximumCreditEvents), Int64(limits.maximumCreditBytes)),
                    maximumLease: limits.maximumLeaseEvents
                ),
                now: server.clock.uptime
            )
        )
    }

    /// Serves the call until it ends.
    ///
    /// - Throws: `EventStreamingError`, the status with which the call ends.
    func run(
        reading requests: RPCAsyncSequence<WireSubscribeRequest, any Error>,
        writing writer: RPCWriter<SubscribeFrame>
    ) async throws {
        let key = server.registry.add(self)
        defer { server.registry.remove(key) }
        var result: Result<Void, any Error> = .success(())
        await withRPCCancellationHandler {
            await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    await self.read(requests)
                    return false
                }
                group.addTask {
                    await self.keepTime()
                    return true
                }
                group.addTask {
                    await self.work(writer)
                    return true
                }
                // The end of the worker; or that of the time keeper, when the worker is stuck in a peer that does not read.
                for await isEnd in group where isEnd {
                    break
                }
                group.cancelAll()
            }
        } onCancelRPC: {
            self.end(Self.lost)
        }
        let ending = await close()
        if let error = ending.error {
            result = .failure(error)
        }
        try result.get()
    }

    // MARK: - From outside

    func end(_ ending: SubscribeState.Ending) {
        state.withLock { $0.end(ending) }
        changes.notify()
        turns.notify()
        room.notify()
    }

    func drain() {
        state.withLock { $0.drain() }
        changes.notify()
    }

    /// The connection is gone. What the peer held counts as delivered: it may have been the reason.
    static var lost: SubscribeState.Ending {
        SubscribeState.Ending(
            reason: .failed,
            error: EventStreamingError(.cancelled, "The call was cancelled by the peer, or its connection is gone."),
            releases: false
        )
    }

    // MARK: - Reading

    private func read(_ requests: RPCAsyncSequence<WireSubscribeRequest, any Error>) async {
        do {
            for try await frame in requests {
                keep(frame)
                await waitUntilConnected()
                if Task.isCancelled { return }
                try takeKept()
                await waitForRoom()
                if state.withLock({ $0.hasEnded }) { return }
            }
            // A cancelled task sees an end of its own making.
            guard !Task.isCancelled else { return }
            if opening.withLock({ $0 == nil }) {
                end(badRequest(EventStreamingError(.invalidArgument, "The call ended before it sent an Open frame.")))
            }
            state.withLock { $0.closedByPeer() }
            changes.notify()
        } catch let error as EventStreamingError {
            end(badRequest(error))
        } catch let error as RPCError where error.code == .invalidArgument || error.code == .resourceExhausted {
            end(badRequest(EventStreamingError(error)))
        } catch {
            end(Self.lost)
        }
    }

    /// Takes in the first frame; keeps any other one, not in the reader's hands, where it would take its room for good.
    @inline(never)
    private func keep(_ frame: WireSubscribeRequest) {
        guard case .open(let open) = frame.frame, opening.withLock({ $0 == nil }) else {
            return kept.withLock { $0 = frame }
        }
        opening.withLock { $0 = open }
        state.withLock { $0.seen(now: server.clock.uptime) }
        changes.notify()
    }

    /// What follows the first frame makes sense only when that was answered.
    private func waitUntilConnected() async {
        while !Task.isCancelled {
            let version = room.version
            guard isConnecting else { return }
            await room.wait(since: version)
        }
    }

    /// Whether a frame waits for the answer to the first one.
    @inline(never)
    private var isConnecting: Bool {
        kept.withLock { $0 != nil } && opening.withLock { $0 != nil } && consumer.withLock { $0 == nil }
            && !state.withLock { $0.hasEnded }
    }

    @inline(never)
    private func takeKept() throws(EventStreamingError) {
        guard let frame = kept.withLock({ $0.take() }) else { return }
        try state.withLock { (state) throws(EventStreamingError) in
            try state.receive(frame, now: server.clock.uptime)
        }
        changes.notify()
    }

    private func waitForRoom() async {
        while true {
            let version = room.version
            guard state.withLock({ $0.isFull && !$0.hasEnded }), !Task.isCancelled else { return }
            await room.wait(since: version)
        }
    }

    private func badRequest(_ error: EventStreamingError) -> SubscribeState.Ending {
        SubscribeState.Ending(reason: .badRequest, error: error)
    }

    // MARK: - Opening

    /// Waits for the first frame; `nil` when the call ends before.
    func waitForOpen() async -> WireOpen? {
        while !Task.isCancelled {
            let version = changes.version
            if let open = opening.withLock({ $0 }) { return open }
            if state.withLock({ $0.hasEnded }) { return nil }
            await changes.wait(since: version)
        }
        return nil
    }

    func connected(_ consumer: any DeliveryConsumer) {
        state.withLock { $0.opened(consumer.registration) }
        self.consumer.withLock { $0 = consumer }
        room.notify()
        turns.notify()
    }

    /// Tells the reader that requests were taken.
    func madeRoom() {
        room.notify()
    }

    var connection: (any DeliveryConsumer)? { consumer.withLock { $0 } }

    // MARK: - Ending

    /// Gives back what the peer held, and leaves; also in a cancelled task.
    private func close() async -> SubscribeState.Ending {
        let ending = state.withLock { state in
            state.end(Self.lost)
            return state.ending ?? Self.lost
        }
        guard let consumer = connection else { return ending }
        if ending.releases {
            for settlement in state.withLock({ $0.takeReleases() }) {
                try? await consumer.settle(settlement)
            }
        }
        await consumer.close()
        server.logger.debug("A peer's consumer left.", metadata: logMetadata(consumer))
        return ending
    }

    func logMetadata(_ consumer: any DeliveryConsumer) -> Logger.Metadata {
        [
            "subscription": "\(consumer.registration.subscription)", "consumer": "\(consumer.registration.consumer)",
            "peer": "\(peer.address)",
        ]
    }
}
