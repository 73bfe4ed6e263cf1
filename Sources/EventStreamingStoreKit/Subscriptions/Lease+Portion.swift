package import EventStreamingCore

extension Lease {
    /// The lease of a portion.
    ///
    /// - Parameter events: The events at the portion's offsets, in order.
    package init(_ portion: Portion, events: [StoredEvent], holder: ConsumerRegistration) {
        self.init(
            holder: holder,
            epoch: portion.key,
            offsets: StreamOffset(portion.span.lowerBound)..<StreamOffset(portion.span.upperBound),
            events: events,
            attempt: portion.attempt,
            isRedriven: portion.redriven != nil,
            needsSettlement: portion.expiry != nil,
            missed: Int(clamping: portion.missed)
        )
    }
}

extension EventStreamStore {
    /// Gives back a lease whose events cannot be read, without counting an attempt. Where that fails it runs out.
    package func giveBack(_ lease: Lease) async {
        // At most once, the events are finished already.
        guard lease.needsSettlement else { return }
        try? await release(lease)
    }
}
