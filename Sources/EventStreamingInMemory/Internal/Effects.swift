import EventStreamingCore

/// What a call still has to do after its lock is released.
struct Effects: Sendable {
    /// Whether consumers of the stream may find something new.
    var hasNews = false
    /// The dead-letter streams that got events.
    private(set) var deadLetterStreams: [StreamName] = []
    /// Events that nobody keeps any more: kept until here, because freeing them may take long and run code of others.
    private var garbage: [[StoredEvent]] = []

    mutating func addDeadLetters(to stream: StreamName) {
        if !deadLetterStreams.contains(stream) {
            deadLetterStreams.append(stream)
        }
    }

    mutating func discard(_ events: [StoredEvent]) {
        garbage.append(events)
    }

    mutating func discard(_ event: StoredEvent) {
        garbage.append([event])
    }
}
