public import EventStreamingCore

/// Why a subscription is not `ok`.
public enum HealthCause: Sendable, Hashable, Codable {
    /// No consumer is connected.
    ///
    /// - Parameter lastSeen: When one was seen last; `nil` when nobody knows of any.
    case noConsumer(lastSeen: Timestamp?)
    /// A consumer with a position of its own is not connected, and events wait for it.
    case consumerAway(ConsumerID, lastSeen: Timestamp)
    /// Partitions of a group have no owner although it has members.
    case partitionsWithoutOwner([Int])
    /// A consumer holds an event and does not finish it.
    case handlerBusy(HeldEvent)
    /// All events that there are to do failed, and wait for their time.
    ///
    /// - Parameters:
    ///   - events: How many.
    ///   - next: The one that is delivered again next.
    case backOff(events: Int, next: RetriedEvent)
    /// Events wait behind dead letters of their partition keys, and will until these are redriven or discarded.
    ///
    /// - Parameters:
    ///   - keys: How many keys have open dead letters.
    ///   - events: How many events were found to wait behind them.
    case parked(keys: Int, events: Int)
    /// Consumers are connected and there are events for them, but nobody asks for any.
    case notFetching([ConsumerID])
    /// Events are finished, but not as fast as they come.
    ///
    /// - Parameters:
    ///   - events: How many are between the position and the end of the stream.
    ///   - oldest: When the oldest of them was appended, where that is known.
    case behind(events: Int, oldest: Timestamp?)
    /// The store cannot be asked.
    ///
    /// - Parameter error: What it answers.
    case storeUnavailable(error: String)

    /// What is the matter, and what to do about it, in words.
    public var message: String {
        switch self {
        case .noConsumer(let lastSeen?):
            "Nobody consumes it; a consumer was seen last at \(lastSeen). Start a service that handles it, or subscribe."
        case .noConsumer(nil):
            "Nobody consumes it, and nobody is known to have. Start a service that handles it, or subscribe."
        case .consumerAway(let consumer, let lastSeen):
            "Consumer '\(consumer)' is not connected, was seen last at \(lastSeen), and events wait for it. Start it again, or "
                + "remove it with removeConsumer if it does not come back."
        case .partitionsWithoutOwner(let partitions):
            "Partitions \(Self.list(partitions.map(String.init))) have no owner; their events wait. Look at the members of the "
                + "group with consumers(of:), and start one anew."
        case .handlerBusy(let held):
            "Consumer '\(held.consumer)' holds offset \(held.offset) in attempt \(held.attempt), and finishes nothing. Look "
                + "what its handler waits for, or raise health.stallTime if it may take so long."
        case .backOff(let events, let next):
            "All \(events) events that there are to do failed and wait; offset \(next.offset) is delivered again at "
                + "\(next.due), after \(next.attempts) attempts. Mend what the last error says: \(next.reason)"
        case .parked(let keys, let events):
            "\(events) events wait behind the dead letters of \(keys) keys. Mend what made them fail and redrive them, or "
                + "discard them; see deadLetters(of:)."
        case .notFetching(let consumers):
            "Events wait, and \(Self.list(consumers.map { "'\($0)'" })) do not ask for them. They are paused, or busy with "
                + "something else between two events; look at their loops."
        case .behind(let events, let oldest):
            "It is \(events) events behind" + (oldest.map { ", the oldest from \($0)" } ?? "")
                + ". Handle faster or with more concurrency, or add consumers, if the mode shares events out."
        case .storeUnavailable(let error):
            "The store cannot be asked, and nothing can be delivered: \(error)"
        }
    }

    /// The beginning of a list that may be long.
    private static func list(_ items: [String]) -> String {
        let limit = 10
        let text = items.prefix(limit).joined(separator: ", ")
        return items.count > limit ? "\(text) and \(items.count - limit) more" : text
    }
}
