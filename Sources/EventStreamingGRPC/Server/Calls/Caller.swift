import EventStreamingCore

/// Who makes the call that is being served.
struct Caller: Sendable {
    let identity: PeerIdentity
    let origin: ConnectedPeer.Origin
    /// Whether it ends at a time that the peer has set.
    var hasDeadline = false

    /// Bound by ``CallGuard`` around every call.
    @TaskLocal static var current: Caller?

    /// - Throws: `unauthenticated` where the guard was passed by, which would be a mistake of ours.
    static func required() throws(EventStreamingError) -> Caller {
        guard let current else { throw EventStreamingError(.unauthenticated, "It is not known who calls.") }
        return current
    }
}
