/// The outcome of asking for events.
package enum Dequeued: Sendable {
    /// Offsets for the consumer; the store looks up their events.
    case portion(Portion)
    /// Nothing so far, but the filter passed over a long stretch and there is more: the call should be repeated.
    case unfinished
    /// Nothing; when there may be something without a change of the stream, by the monotonic clock.
    case empty(until: Duration?)
}
