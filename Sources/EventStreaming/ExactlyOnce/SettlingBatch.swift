import EventStreamingCore

/// Events of one lease that are being settled together; nobody else can settle them meanwhile.
struct SettlingBatch: Sendable {
    let source: LeasedEvents
    /// The places of the events in the lease, in order.
    let indices: [Int]
    let registration: ConsumerRegistration

    var records: [StoredEvent] { indices.map { source.lease.events[$0] } }
    var ids: [MessageID] { indices.map { source.lease.events[$0].id } }
    var lease: UInt64 { source.lease.epoch }

    /// What tells the store that all of them are finished.
    var settlement: Settlement {
        var settlement = Settlement(of: registration, leaseEpoch: lease)
        let lease = source.lease
        if indices.count == lease.events.count {
            settlement.completed = [lease.offsets]
            return settlement
        }
        settlement.completed = ranges
        return settlement
    }

    /// The offsets of the events, neighbours together.
    var ranges: [Range<StreamOffset>] {
        var ranges: [Range<StreamOffset>] = []
        for index in indices {
            let offset = source.lease.events[index].offset
            if let last = ranges.last, last.upperBound == offset {
                ranges[ranges.count - 1] = last.lowerBound..<offset.advanced(by: 1)
            } else {
                ranges.append(offset..<offset.advanced(by: 1))
            }
        }
        return ranges
    }
}
