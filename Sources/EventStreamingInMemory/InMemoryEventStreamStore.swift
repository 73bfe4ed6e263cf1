public import EventStreamingCore
import EventStreamingStoreKit
import Synchronization

/// Keeps streams and subscriptions in the memory of the process; everything is gone when the process ends.
///
/// The reference for other stores: as strict as any about atomicity, fencing, positions and limits. Events stay the
/// values they are; nothing is encoded.
///
/// ## What it guarantees
///
/// Every call takes effect at one moment, under the lock of its stream, and never waits for anything else than that
/// lock. So a call has done its work when it returns; a cancelled task makes no difference, and no call throws
/// `cancelled`, `timedOut` or `storeUnavailable`. Streams do not wait for each other. A dead letter appears in its stream
/// at the same moment as it leaves its subscription.
///
/// Two contents of one event id are compared by type and payload; headers, which may hold a trace of the attempt, are not
/// compared.
///
/// ## Limits
///
/// A lease has at most 4096 events. While 10 000 ranges wait to be delivered again at one position, that position gets no
/// new events. Memory for events that nobody needs is given back in steps of 128 events, or earlier when they are large
/// or when a stream becomes empty.
///
/// Of events that are lost by `OverflowPolicy` or by trimming while they are leased,
/// nothing can be settled any more: a settlement passes over them, and a lease with nothing else has ended.
public final class InMemoryEventStreamStore: Sendable {
    let clock: any EventStreamingClock
    let observers = ObserverList()
    let streams = Directory<StreamName, InMemoryStream>()
    let subscriptions = Directory<SubscriptionID, SubscriptionHandle>()
    let marks = MarkTable()
    let locks = LockTable()
    private let seed: UInt64
    private let subscriptionCount = Atomic<UInt64>(0)
    private let lastEpoch = Atomic<UInt64>(0)

    /// Creates an empty store.
    ///
    /// - Parameters:
    ///   - clock: The time. Leases, delays and time-outs follow its `uptime`, events are stamped with its `now`.
    ///   - seed: Makes the random part of retry delays repeatable; different in every store when `nil`.
    public init(clock: any EventStreamingClock = SystemClock(), seed: UInt64? = nil) {
        self.clock = clock
        self.seed = seed ?? UInt64.random(in: .min ... .max)
    }

    /// Begins to tell `observer` about appends, and about events that can be delivered again. Holds it weakly.
    ///
    /// Observers are called by the task that made the change, after the change, and without any lock.
    public func addObserver(_ observer: any StreamObserver) {
        observers.add(observer)
    }

    // MARK: - Finding

    func stream(_ name: StreamName) throws(EventStreamingError) -> InMemoryStream {
        guard let stream = streams[name] else { throw .unknownStream(name) }
        return stream
    }

    func handle(of id: SubscriptionID) throws(EventStreamingError) -> SubscriptionHandle {
        guard let handle = subscriptions[id] else { throw .unknownSubscription(id) }
        return handle
    }

    /// Where the subscription of a registration is. A registration can only come from a subscription, so there is no
    /// error for a missing one but that the consumer is not known.
    func handle(of registration: ConsumerRegistration) throws(EventStreamingError) -> SubscriptionHandle {
        guard let handle = subscriptions[registration.subscription] else { throw .unknownConsumer(registration) }
        return handle
    }

    // MARK: - Numbers

    /// Grows with every call.
    func nextEpoch() -> UInt64 {
        lastEpoch.add(1, ordering: .relaxed).newValue
    }

    /// The seed for the jitter of one more subscription.
    func nextSeed() -> UInt64 {
        seed &+ subscriptionCount.add(1, ordering: .relaxed).newValue
    }
}
