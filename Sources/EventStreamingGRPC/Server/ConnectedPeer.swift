import EventStreaming
public import EventStreamingCore
import Synchronization

/// A consumer in another process, as the server sees it.
public struct ConnectedPeer: Sendable, Hashable {
    /// From where a peer calls, and since when.
    public struct Origin: Sendable, Hashable {
        /// The address, for example `ipv4:127.0.0.1:31415`.
        public let address: String
        /// When the call began, by the wall clock.
        public let since: Timestamp
    }

    /// The subscription that is consumed.
    public let subscription: SubscriptionID
    /// The consumer's name.
    public let consumer: ConsumerID
    /// The epoch of its registration.
    public let epoch: UInt64
    /// Who it is.
    public let identity: PeerIdentity
    /// From where it calls, and since when.
    public let origin: Origin
}

/// The `Subscribe` calls that are open.
final class PeerRegistry: Sendable {
    private struct State {
        var calls: [ObjectIdentifier: SubscribeCall] = [:]
        var isDraining = false
    }

    private let state = Mutex(State())
    /// Notified when a call has ended.
    let changes = Signal()

    func add(_ call: SubscribeCall) -> ObjectIdentifier {
        let key = ObjectIdentifier(call)
        let isDraining = state.withLock { state in
            state.calls[key] = call
            return state.isDraining
        }
        if isDraining {
            call.drain()
        }
        return key
    }

    func remove(_ key: ObjectIdentifier) {
        _ = state.withLock { $0.calls.removeValue(forKey: key) }
        changes.notify()
    }

    var peers: [ConnectedPeer] {
        state.withLock { Array($0.calls.values) }.compactMap { call in
            guard let registration = call.connection?.registration else { return nil }
            return ConnectedPeer(
                subscription: registration.subscription,
                consumer: registration.consumer,
                epoch: registration.epoch,
                identity: call.identity,
                origin: call.peer
            )
        }
    }

    var isDraining: Bool { state.withLock { $0.isDraining } }
    var isEmpty: Bool { state.withLock { $0.calls.isEmpty } }

    /// Has all calls settle what they hold, and those to come end at once.
    func drain() {
        let calls = state.withLock { state in
            state.isDraining = true
            return Array(state.calls.values)
        }
        for call in calls {
            call.drain()
        }
    }

    /// Ends all calls now.
    func end() {
        for call in state.withLock({ Array($0.calls.values) }) {
            call.end(SubscribeState.shuttingDown)
        }
    }
}
