#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// Tells observers here, and other instances, which streams have changed.
struct News: Sendable {
    let observers: ObserverList
    let streams: StreamDirectory
    /// `nil` where others are not told.
    let hints: HintChannel?

    func tell(_ names: Set<StreamName>) {
        for name in names {
            observers.notify(name)
            if let hints, let entry = streams.known(name) {
                hints.announce(entry.id)
            }
        }
    }
}
#endif
