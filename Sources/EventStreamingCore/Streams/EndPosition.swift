/// Where reading ends; what it names is the last that is read.
public enum EndPosition: Sendable, Hashable {
    /// With the newest event there is when reading begins.
    case latest
    /// With the event at this offset, or the newest one before it.
    case offset(StreamOffset)
    /// With the last event accepted at this time or earlier.
    case timestamp(Timestamp)
    /// With this event.
    case event(MessageID)
}
