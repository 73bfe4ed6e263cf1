import EventStreamingCore

/// A lease as frames, each within a size where its events are.
struct BatchFrames: Sendable {
    private(set) var frames: [SubscribeFrame] = []
    /// The bytes of all payloads and headers.
    private(set) var size: Int64 = 0

    init(_ lease: Lease, maximumBytes: Int) {
        var frame = LeaseFrame(lease)
        var first = lease.events.startIndex
        for (index, event) in lease.events.enumerated() {
            let eventSize = event.encodedBytes
            if index > first, frame.creditBytes + eventSize > maximumBytes {
                frame.events = lease.events[first..<index]
                frames.append(.lease(frame))
                size += frame.creditBytes
                (first, frame.creditBytes) = (index, 0)
            }
            frame.creditBytes += eventSize
        }
        frame.events = lease.events[first...]
        frame.isLast = true
        frames.append(.lease(frame))
        size += frame.creditBytes
    }
}

extension LeaseFrame {
    /// All of a lease but its events.
    fileprivate init(_ lease: Lease) {
        self.init(
            epoch: lease.epoch,
            offsets: lease.offsets,
            attempt: lease.attempt,
            isRedriven: lease.isRedriven,
            needsSettlement: lease.needsSettlement,
            missed: lease.missed,
            isLast: false,
            events: [],
            creditBytes: 0
        )
    }
}

extension StoredEvent {
    /// What an event costs of a credit in bytes; its size may be that of the value it was.
    fileprivate var encodedBytes: Int64 {
        guard case .encoded(let bytes) = payload else { return creditBytes }
        return creditBytes - Int64(size) + Int64(bytes.count)
    }
}
