import EventStreamingCore
import EventStreamingStoreKit

extension Writer {
    /// Removes what the retention policy asks for.
    func applyRetention(to stream: StreamEntry, at now: Timestamp) throws -> RetentionResult {
        let first = stream.first
        let limit = try retentionLimit(of: stream, at: now)
        guard first < limit else {
            return RetentionResult(removed: StreamOffset(first)..<StreamOffset(first))
        }
        var missed: [MissedEvents] = []
        try trim(stream, before: limit) { subscription, unfinished in
            let count = unfinished.count(in: first..<limit)
            if count > 0 {
                missed.append(MissedEvents(subscription: subscription, count: count))
            }
        }
        return RetentionResult(
            removed: StreamOffset(first)..<StreamOffset(limit),
            missed: missed.sorted { $0.subscription < $1.subscription }
        )
    }

    /// The offset before which the policy wants nothing to be kept. Found by halves, whatever the number of events.
    private func retentionLimit(of stream: StreamEntry, at now: Timestamp) throws -> Int64 {
        var limit = stream.first
        if let count = stream.retention.maximumCount {
            limit = max(limit, stream.head - min(stream.head, Int64(count)))
        }
        if let age = stream.retention.maximumAge {
            limit = max(limit, try offset(at: (now - age).nanosecondsSinceEpoch, in: stream))
        }
        if let maximum = stream.retention.maximumBytes {
            let bytes = try firstOffset(of: stream) { offset in
                let before = try number(.bytesBefore, at: offset, of: stream)
                return stream.bytesAppended.subtractingReportingOverflow(before).partialValue <= maximum
            }
            limit = max(limit, bytes)
        }
        return limit
    }
}
