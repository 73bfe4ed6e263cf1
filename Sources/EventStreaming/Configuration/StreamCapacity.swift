/// How many events a stream may hold.
public enum StreamCapacity: Sendable, Hashable {
    /// 1 000 000 in an ephemeral stream, so that consumers that fell behind cannot use up the memory; no limit in a
    /// persistent one.
    case automatic
    /// No limit.
    case unlimited
    /// At most this many. At least 1.
    case events(Int)
}
