public import EventStreamingCore

/// How far a redrive or a discard of a selection has come. What it counts is done, whatever happens next.
public struct DeadLetterProgress: Sendable, Hashable {
    /// What was asked for.
    public let selection: DeadLetterSelection
    /// How many open dead letters were looked at.
    public internal(set) var examined = 0
    /// How many of them match.
    public internal(set) var matching = 0
    /// How many were redriven, or discarded. Fewer than ``matching`` where some cannot be redriven, or somebody else was
    /// faster.
    public internal(set) var done = 0
    /// Everything before this number is done.
    public internal(set) var next = StreamOffset.zero
    /// Whether everything is done.
    public internal(set) var isFinished = false

    init(_ selection: DeadLetterSelection) {
        self.selection = selection
    }
}
