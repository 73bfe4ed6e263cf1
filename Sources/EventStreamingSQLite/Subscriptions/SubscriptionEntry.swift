import EventStreamingCore
import EventStreamingStoreKit

/// A subscription as the writer knows it.
final class SubscriptionEntry {
    let id: Int64
    unowned let stream: StreamEntry
    unowned let deadLetterStream: StreamEntry
    var state: SubscriptionState
    /// Whether rows have to be written.
    var isChanged = false

    init(id: Int64, stream: StreamEntry, deadLetterStream: StreamEntry, state: SubscriptionState) {
        self.id = id
        self.stream = stream
        self.deadLetterStream = deadLetterStream
        self.state = state
    }
}
