import EventStreamingCore

extension Lease {
    /// A lease as far as it has come.
    ///
    /// - Parameter begun: What came of it before.
    /// - Throws: `storeUnavailable` for what no server that keeps to the protocol sends.
    init(
        _ batch: WireBatch,
        of holder: ConsumerRegistration,
        after begun: Lease?
    ) throws(EventStreamingError) {
        let offsets: Range<StreamOffset>
        var events = begun?.events ?? []
        events.reserveCapacity(events.count + batch.events.count)
        do throws(EventStreamingError) {
            offsets = try Range(batch.offsets)
            for wire in batch.events {
                let event = try StoredEvent(wire)
                guard offsets.contains(event.offset), events.last.map({ $0.offset < event.offset }) ?? true else {
                    throw EventStreamingError(.invalidArgument, "Event \(event.offset) is out of order.")
                }
                events.append(event)
            }
        } catch {
            throw EventStreamingError(
                .storeUnavailable,
                "The server does not keep to the protocol: an event of a lease cannot be read.",
                underlying: error
            )
        }
        self.init(
            holder: holder,
            epoch: batch.leaseEpoch,
            offsets: offsets,
            events: events,
            attempt: max(1, Int(batch.attempt)),
            isRedriven: batch.isRedriven,
            needsSettlement: batch.needsSettlement,
            missed: max(0, Int(clamping: batch.missed))
        )
    }
}
