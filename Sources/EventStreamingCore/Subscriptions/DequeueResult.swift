/// The answer to a consumer that asks for events.
public enum DequeueResult: Sendable {
    /// Events to process.
    case lease(Lease)
    /// Nothing at the moment. Something may become available when the stream changes, or, without any change, at the
    /// given ``EventStreamingClock/uptime``: a delayed retry falls due or another consumer's lease runs out.
    case empty(until: Duration?)
}
