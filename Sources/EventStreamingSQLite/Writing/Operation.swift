import EventStreamingCore
import EventStreamingStoreKit

/// What a caller wants of the writer.
enum Operation: Sendable {
    /// Appends, each with its own result.
    case append([PendingAppend], Moment)
    case change(Change)

    /// Anything else. `body` throws an `EventStreamingError` before it changes anything, or another error when the
    /// database failed.
    struct Change: Sendable {
        /// Whether the change must be on disk before the caller hears of it.
        let isDurable: @Sendable (Writer) -> Bool
        let body: @Sendable (Writer) throws -> any Sendable
    }

    /// How much the operation adds to a transaction: about one for a row of some hundred bytes.
    var weight: Int {
        switch self {
        case .append(let appends, _): appends.reduce(0) { $0 + $1.weight }
        case .change: 4
        }
    }
}

/// The outcome of an operation.
enum Answer: Sendable {
    case appended([Result<AppendResult, EventStreamingError>])
    case changed(any Sendable)
    case failed(EventStreamingError)
}

/// An append that was checked, and whose events are bytes.
struct PendingAppend: Sendable {
    let stream: StreamName
    let checked: CheckedAppend
    let weight: Int

    init(_ append: StreamAppend) throws(EventStreamingError) {
        checked = try CheckedAppend(append)
        stream = append.stream
        var weight = 0
        for index in append.events.indices {
            guard case .encoded(let bytes) = append.events[index].payload else {
                throw EventStreamingError(
                    .invalidArgument,
                    "Event \(append.events[index].id) is a value; this store keeps bytes and needs it encoded."
                )
            }
            weight += 1 + bytes.count / 512
        }
        self.weight = weight
    }
}

/// The answers to a group of operations, and who has to be told.
struct GroupOutcome: Sendable {
    var answers: [Answer]
    var changedStreams: Set<StreamName> = []
}
