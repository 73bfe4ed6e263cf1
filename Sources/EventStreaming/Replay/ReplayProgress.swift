public import EventStreamingCore

/// How far a replay is, for a progress bar.
public struct ReplayProgress: Sendable, Hashable {
    /// How many events were looked at, those that were filtered out included.
    public let done: Int
    /// How many events there are to look at, from the first to the last.
    public let total: Int
    /// How many events were handed out.
    public let delivered: Int
    /// The offset to go on from with another replay, should this one end here.
    public let position: StreamOffset
    /// The time since the loop began; it stands still when the replay has ended.
    public let elapsed: Duration
    /// Whether the replay has come to its end.
    public let isFinished: Bool

    /// The part that is done, from 0 to 1; 1 when there is nothing to do, or the replay has ended.
    public var fraction: Double { isFinished || total <= 0 ? 1 : min(1, Double(done) / Double(total)) }

    /// How many events were looked at in a second; 0 while no time has passed.
    public var rate: Double { elapsed > .zero ? Double(done) / (elapsed / .seconds(1)) : 0 }

    /// How long the rest will take at this rate; `nil` while there is none.
    public var remaining: Duration? {
        if isFinished { return .zero }
        guard rate > 0 else { return nil }
        return .seconds(Double(max(0, total - done)) / rate)
    }
}
