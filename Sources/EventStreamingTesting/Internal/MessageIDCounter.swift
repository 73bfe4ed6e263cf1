import EventStreamingCore
import Synchronization

/// Makes message ids that are the same in every run: 1, 2, 3 and so on.
final class MessageIDCounter: Sendable {
    private let last = Atomic<UInt64>(0)

    /// The id that is made first.
    var first: MessageID { MessageID(high: 0, low: 1) }

    func next() -> MessageID {
        MessageID(high: 0, low: last.wrappingAdd(1, ordering: .relaxed).newValue)
    }
}
