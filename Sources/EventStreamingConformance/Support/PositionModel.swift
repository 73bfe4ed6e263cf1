import EventStreamingCore

/// What one position must be like, by the contract: the simplest thing that can be right.
struct PositionModel {
    struct Held {
        var lease: Lease
        var offsets: Set<Int64>
        var deadline: Duration
    }

    private(set) var finished: Set<Int64> = []
    private(set) var held: [UInt64: Held] = [:]
    private var attempts: [Int64: Int] = [:]
    private var dueAt: [Int64: Duration] = [:]
    private var lastFirstDelivery: Int64 = -1

    /// The first offset that is not finished.
    var position: Int64 {
        var position: Int64 = 0
        while finished.contains(position) {
            position += 1
        }
        return position
    }

    /// Offsets leased and unsettled.
    var inFlight: Int { held.values.reduce(0) { $0 + $1.offsets.count } }

    /// Takes a lease that the store handed out; returns what is wrong with it.
    mutating func take(_ lease: Lease, at uptime: Duration, visibility: Duration) -> String? {
        expire(at: uptime)
        for event in lease.events {
            let offset = event.offset.rawValue
            if finished.contains(offset) {
                return "\(offset) was delivered after it was finished"
            }
            if held.values.contains(where: { $0.offsets.contains(offset) }) {
                return "\(offset) was delivered while it was leased"
            }
            if let due = dueAt[offset], due > uptime {
                return "\(offset) was delivered at \(uptime), \(due - uptime) too early"
            }
            if lease.attempt != attempts[offset, default: 0] + 1 {
                return "\(offset) was delivered as attempt \(lease.attempt), not \(attempts[offset, default: 0] + 1)"
            }
            if attempts[offset] == nil, dueAt[offset] == nil {
                if offset <= lastFirstDelivery {
                    return "\(offset) was delivered first after \(lastFirstDelivery)"
                }
                lastFirstDelivery = offset
            }
            dueAt[offset] = uptime
        }
        let offsets = Set(lease.events.map(\.offset.rawValue))
        held[lease.epoch] = Held(lease: lease, offsets: offsets, deadline: uptime + visibility)
        return nil
    }

    /// Ends the leases whose time is over.
    mutating func expire(at uptime: Duration) {
        for (epoch, lease) in held where lease.deadline <= uptime {
            end(epoch, countsAttempt: true)
        }
    }

    /// Ends a lease; what is unsettled in it is available again.
    mutating func end(_ epoch: UInt64, countsAttempt: Bool) {
        guard let lease = held.removeValue(forKey: epoch) else { return }
        for offset in lease.offsets where countsAttempt {
            attempts[offset, default: 0] += 1
        }
    }

    mutating func extend(by holder: ConsumerRegistration, to deadline: Duration) {
        for (epoch, lease) in held where lease.lease.holder == holder {
            held[epoch]?.deadline = deadline
        }
    }

    mutating func finish(_ offset: Int64, of epoch: UInt64) {
        held[epoch]?.offsets.remove(offset)
        finished.insert(offset)
        forgetIfSettled(epoch)
    }

    mutating func reject(_ offset: Int64, of epoch: UInt64, until due: Duration) {
        held[epoch]?.offsets.remove(offset)
        attempts[offset, default: 0] += 1
        dueAt[offset] = due
        forgetIfSettled(epoch)
    }

    private mutating func forgetIfSettled(_ epoch: UInt64) {
        if held[epoch]?.offsets.isEmpty == true {
            held[epoch] = nil
        }
    }
}
