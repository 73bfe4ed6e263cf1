public import EventStreamingCore

/// Which dead letters are meant. What is not set does not matter; with nothing set, all of them.
public struct DeadLetterFilter: Sendable, Hashable, Codable {
    /// The names of event types, whatever their version.
    public var eventTypes: Set<String>?
    /// The names of consumers whose positions the dead letters belong to. Where competing consumers share one position, a
    /// dead letter belongs to none of them, and is not matched.
    public var consumers: Set<String>?
    /// A text that the reason of the last failure has in it, in upper or lower case.
    public var reason: String?
    /// The workflow in which the event was emitted: its correlation id.
    public var workflow: WorkflowID?
    /// When the last delivery failed.
    public var lastFailure: Range<Timestamp>?
    /// How often the event was delivered.
    public var attempts: ClosedRange<Int>?
    /// The numbers of the dead letters.
    public var numbers: [Range<StreamOffset>]?

    /// Creates a filter.
    public init(
        eventTypes: Set<String>? = nil,
        consumers: Set<String>? = nil,
        reason: String? = nil,
        workflow: WorkflowID? = nil,
        lastFailure: Range<Timestamp>? = nil,
        attempts: ClosedRange<Int>? = nil,
        numbers: [Range<StreamOffset>]? = nil
    ) {
        self.eventTypes = eventTypes
        self.consumers = consumers
        self.reason = reason
        self.workflow = workflow
        self.lastFailure = lastFailure
        self.attempts = attempts
        self.numbers = numbers
    }

    /// A filter for some dead letters by their numbers.
    public static func numbers(_ numbers: StreamOffset...) -> DeadLetterFilter {
        DeadLetterFilter(numbers: numbers.map { $0..<$0.advanced(by: 1) })
    }

    /// Whether the dead letter is meant.
    public func matches(_ letter: DeadLetter) -> Bool {
        if let numbers, !numbers.contains(where: { $0.contains(letter.number) }) { return false }
        if let eventTypes, !eventTypes.contains(letter.event.type.name) { return false }
        if let consumers, !(letter.consumer.map { consumers.contains($0.rawValue) } ?? false) { return false }
        if let workflow, letter.event.correlationID != workflow { return false }
        if let lastFailure, !lastFailure.contains(letter.lastFailure) { return false }
        if let attempts, !attempts.contains(letter.attempts) { return false }
        if let reason, !reason.isEmpty, !letter.reason.lowercased().contains(reason.lowercased()) { return false }
        return true
    }

    /// All numbers that can be meant are in this range.
    var span: Range<StreamOffset> {
        guard let numbers else { return .zero..<StreamOffset(.max) }
        let ranges = numbers.filter { !$0.isEmpty }
        guard let low = ranges.map(\.lowerBound).min(), let high = ranges.map(\.upperBound).max() else {
            return .zero ..< .zero
        }
        return low..<high
    }
}
