/// Where reading begins.
public enum StartPosition: Sendable, Hashable {
    /// At the oldest event kept.
    case beginning
    /// After the newest event: only what comes later.
    case latest
    /// At this offset; where it was trimmed, at the oldest event kept.
    case offset(StreamOffset)
    /// At the first event accepted at this time or later.
    case timestamp(Timestamp)
    /// At this event, which the stream must keep.
    case event(MessageID)
}
