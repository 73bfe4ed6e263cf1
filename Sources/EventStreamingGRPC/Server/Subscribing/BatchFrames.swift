import EventStreamingCore

/// A lease as frames, each within a size where its events are.
struct BatchFrames: Sendable {
    private(set) var frames: [WireSubscribeResponse] = []
    /// The bytes of all payloads and headers.
    private(set) var size = 0

    init(_ lease: Lease, maximumBytes: Int) {
        var batch = WireBatch(lease)
        var batchSize = 0
        batch.events.reserveCapacity(lease.events.count)
        for event in lease.events {
            let bytes: [UInt8] = if case .encoded(let bytes) = event.payload { bytes } else { [] }
            let eventSize = bytes.count + event.headers.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
            if !batch.events.isEmpty, batchSize + eventSize > maximumBytes {
                add(batch)
                batch.events.removeAll(keepingCapacity: true)
                batchSize = 0
            }
            batch.events.append(WireEvent(event, payload: bytes))
            batchSize += eventSize
            size += eventSize
        }
        batch.isLast = true
        add(batch)
    }

    private mutating func add(_ batch: WireBatch) {
        var response = WireSubscribeResponse()
        response.batch = batch
        frames.append(response)
    }
}

extension WireBatch {
    /// All of a lease but its events.
    fileprivate init(_ lease: Lease) {
        self.init()
        leaseEpoch = lease.epoch
        offsets = WireOffsetRange(lease.offsets)
        attempt = Int32(clamping: lease.attempt)
        isRedriven = lease.isRedriven
        needsSettlement = lease.needsSettlement
        missed = Int64(lease.missed)
    }
}
