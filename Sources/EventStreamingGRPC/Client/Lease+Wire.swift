import EventStreamingCore

extension LeaseFrame {
    /// - Throws: `storeUnavailable` for what no server that keeps to the protocol sends.
    init(_ batch: WireBatch) throws(EventStreamingError) {
        do throws(EventStreamingError) {
            var events: [StoredEvent] = []
            events.reserveCapacity(batch.events.count)
            for wire in batch.events {
                events.append(try StoredEvent(wire))
            }
            self.init(
                epoch: batch.leaseEpoch,
                offsets: try Range(batch.offsets),
                attempt: Int(batch.attempt),
                isRedriven: batch.isRedriven,
                needsSettlement: batch.needsSettlement,
                missed: Int(clamping: batch.missed),
                isLast: batch.isLast,
                events: events[...],
                creditBytes: events.reduce(0) { $0 &+ $1.creditBytes }
            )
        } catch {
            throw Self.broken(error)
        }
        var last: StreamOffset?
        for event in events {
            guard offsets.contains(event.offset), last.map({ $0 < event.offset }) ?? true else {
                throw Self.broken(EventStreamingError(.invalidArgument, "Event \(event.offset) is out of order."))
            }
            last = event.offset
        }
    }

    fileprivate static func broken(_ error: EventStreamingError) -> EventStreamingError {
        EventStreamingError(
            .storeUnavailable,
            "The server does not keep to the protocol: an event of a lease cannot be read.",
            underlying: error
        )
    }
}

extension Lease {
    /// A lease as far as it has come.
    ///
    /// - Parameters:
    ///   - frame: What has come of it now, with its events in order.
    ///   - begun: What came of it before.
    /// - Throws: `storeUnavailable` for events that are not in order.
    init(_ frame: LeaseFrame, of holder: ConsumerRegistration, after begun: Lease?) throws(EventStreamingError) {
        if let last = begun?.events.last, let first = frame.events.first, first.offset <= last.offset {
            throw LeaseFrame.broken(
                EventStreamingError(.invalidArgument, "Event \(first.offset) is out of order.")
            )
        }
        self.init(
            holder: holder,
            epoch: frame.epoch,
            offsets: frame.offsets,
            events: begun.map { $0.events + frame.events } ?? Array(frame.events),
            attempt: max(1, frame.attempt),
            isRedriven: frame.isRedriven,
            needsSettlement: frame.needsSettlement,
            missed: max(0, frame.missed)
        )
    }
}
