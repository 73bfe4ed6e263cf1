import EventStreamingCore

/// A lease whose events are values, and those that could not be made values of.
struct DecodedLease: Sendable {
    private(set) var lease: Lease
    private(set) var failures: [(index: Int, error: EventStreamingError)] = []
    /// Events that were processed before, and are not decoded.
    private(set) var processed: [Int] = []

    /// Decodes what is only bytes; a lease of values is taken as it is.
    init(_ lease: Lease, processed: Set<MessageID>, _ decoder: EventDecoder) {
        self.lease = lease
        if !processed.isEmpty {
            self.processed = lease.events.indices.filter { processed.contains(lease.events[$0].id) }
        }
        guard lease.hasEncodedPayloads else { return }
        var decoder = decoder
        var events: [StoredEvent] = []
        events.reserveCapacity(lease.events.count)
        for (index, record) in lease.events.enumerated() {
            if !processed.isEmpty, processed.contains(record.id) {
                events.append(record)
                continue
            }
            do throws(EventStreamingError) {
                events.append(record.replacingPayload(by: .value(try decoder.event(of: record))))
            } catch {
                failures.append((index, error))
                events.append(record)
            }
        }
        self.lease = Lease(
            holder: lease.holder,
            epoch: lease.epoch,
            offsets: lease.offsets,
            events: events,
            attempt: lease.attempt,
            isRedriven: lease.isRedriven,
            needsSettlement: lease.needsSettlement,
            missed: lease.missed
        )
    }
}

extension Lease {
    fileprivate var hasEncodedPayloads: Bool {
        events.withUnsafeBufferPointer { events in
            for index in events.indices {
                if case .encoded = events[index].payload { return true }
            }
            return false
        }
    }
}

extension EventPayload {
    /// The value. What is delivered was decoded before, so that bytes never get here; they would show as an event that
    /// nobody knows.
    var event: any Event {
        if case .value(let event) = self { event } else { UndecodedEvent() }
    }
}

private enum UndecodedWorkflow: Workflow {}

private struct UndecodedEvent: Event {
    typealias Process = UndecodedWorkflow
}

extension StoredEvent {
    /// The event with another form of its payload.
    func replacingPayload(by payload: EventPayload) -> StoredEvent {
        StoredEvent(
            offset: offset,
            timestamp: timestamp,
            id: id,
            type: type,
            payload: payload,
            size: size,
            knownContext: knownContext
        )
    }
}
