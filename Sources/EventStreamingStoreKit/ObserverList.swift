package import EventStreamingCore
import Synchronization

/// The observers of a store, held weakly.
package final class ObserverList: Sendable {
    private struct Entry: Sendable {
        weak let observer: (any StreamObserver)?
    }

    private let entries = Mutex<[Entry]>([])
    /// Spares the lock while nobody observes.
    private let isInUse = Atomic(false)

    package init() {}

    package func add(_ observer: any StreamObserver) {
        entries.withLock { entries in
            entries.removeAll { $0.observer == nil }
            entries.append(Entry(observer: observer))
        }
        isInUse.store(true, ordering: .releasing)
    }

    /// Tells everybody. Must not be called under a lock: observers are not ours.
    package func notify(_ stream: StreamName) {
        guard isInUse.load(ordering: .acquiring) else { return }
        let observers = entries.withLock { entries in
            let observers = entries.compactMap(\.observer)
            if observers.count < entries.count {
                entries.removeAll { $0.observer == nil }
            }
            return observers
        }
        for observer in observers {
            observer.streamDidChange(stream)
        }
    }
}
