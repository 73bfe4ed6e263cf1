/// The order in which a stream is read.
public enum ReadDirection: Sendable, Hashable {
    /// From older to newer events.
    case forward
    /// From newer to older events.
    case backward
}
