public import EventStreamingCore

/// What to replay of a stream, and how fast.
public struct ReplayOptions: Sendable {
    /// Where to begin. Defaults to the oldest event kept. `latest` is the end: nothing is replayed.
    public var from: StartPosition = .beginning
    /// Where to end; what it names is replayed too. Defaults to the newest event there is when the replay begins.
    public var to: EndPosition = .latest
    /// The names of the event types to replay; `nil`, the default, for all.
    public var eventTypes: Set<String>?
    /// Whether to replay an event, asked for those of ``eventTypes``. Events are not decoded for it. `nil`, the default,
    /// for all.
    public var filter: (@Sendable (_ event: StoredEvent) -> Bool)?
    /// The most events to replay, those that are filtered out not counted; `nil`, the default, for no limit. At least 1.
    public var maximumEvents: Int?
    /// How fast. Defaults to as fast as possible.
    public var speed: ReplaySpeed = .unlimited
    /// The most events in memory at a time, 1 to 10 000. Defaults to 1000. Fewer are read when they are large.
    public var pageSize: Int = 1000
    /// Told how far the replay is, after every page and at the end, by the task that replays. Must return quickly.
    public var onProgress: (@Sendable (_ progress: ReplayProgress) -> Void)?

    /// Creates the default options: everything, as fast as possible.
    public init() {}

    /// Creates options for a part of a stream.
    public init(from: StartPosition, to: EndPosition = .latest) {
        self.from = from
        self.to = to
    }
}

/// How fast a replay goes.
public enum ReplaySpeed: Sendable, Hashable {
    /// As fast as events can be read and processed.
    case unlimited
    /// With the pauses that were between the events, so many times as fast: 1 for the original pace, 60 for an hour in a
    /// minute. 0.001 to 1 000 000.
    case factor(Double)
}

extension ReplayOptions {
    /// Throws code `invalidArgument` with everything that is wrong.
    func check() throws(EventStreamingError) {
        var problems: [String] = []
        if let maximumEvents, maximumEvents < 1 {
            problems.append("maximumEvents is \(maximumEvents); use at least 1, or nil for no limit.")
        }
        if !(1...10_000).contains(pageSize) {
            problems.append("pageSize is \(pageSize); use 1 to 10000.")
        }
        if let eventTypes, eventTypes.isEmpty {
            problems.append("eventTypes is empty, so nothing would be replayed; use nil for all types.")
        }
        if case .factor(let factor) = speed, !(0.001...1_000_000).contains(factor) {
            problems.append("speed is \(factor) times the original; use 0.001 to 1000000.")
        }
        guard problems.isEmpty else {
            throw EventStreamingError(
                .invalidArgument, "The replay has options outside what is allowed.", problems: problems)
        }
    }

    /// Whether the options want an event.
    func wants(_ event: StoredEvent) -> Bool {
        if let eventTypes, !eventTypes.contains(event.type.name) { return false }
        return filter?(event) ?? true
    }
}
