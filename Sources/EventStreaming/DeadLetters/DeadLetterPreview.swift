public import EventStreamingCore

/// What would be done with a selection, by a dry run: nothing was changed.
public struct DeadLetterPreview: Sendable, Hashable {
    /// How many different reasons are counted apart; those that come later are counted in ``otherReasons``.
    public static let maximumReasons = 100
    /// How many numbers are kept in ``sample``.
    public static let sampleSize = 100

    /// What was looked at.
    public let selection: DeadLetterSelection
    /// How many dead letters match: so many would be discarded.
    public internal(set) var count = 0
    /// How many of them would be redriven. The others belong to consumers whose position is gone, or are of types that the
    /// subscription does not want any more.
    public internal(set) var redrivable = 0
    /// How many match, by the names of event types.
    public internal(set) var eventTypes: [String: Int] = [:]
    /// How many match, by the reason of the last failure.
    public internal(set) var reasons: [String: Int] = [:]
    /// How many match with a reason that is not in ``reasons``.
    public internal(set) var otherReasons = 0
    /// The earliest first failure.
    public internal(set) var firstFailure: Timestamp?
    /// The latest last failure.
    public internal(set) var lastFailure: Timestamp?
    /// The numbers of the first of them.
    public internal(set) var sample: [StreamOffset] = []

    init(_ selection: DeadLetterSelection) {
        self.selection = selection
    }

    mutating func add(_ letters: [DeadLetter], redrivable: Int) {
        self.redrivable += redrivable
        count += letters.count
        sample += letters.prefix(Self.sampleSize - sample.count).map(\.number)
        for letter in letters {
            eventTypes[letter.event.type.name, default: 0] += 1
            if reasons[letter.reason] != nil || reasons.count < Self.maximumReasons {
                reasons[letter.reason, default: 0] += 1
            } else {
                otherReasons += 1
            }
            firstFailure = min(firstFailure ?? letter.firstFailure, letter.firstFailure)
            lastFailure = max(lastFailure ?? letter.lastFailure, letter.lastFailure)
        }
    }
}
