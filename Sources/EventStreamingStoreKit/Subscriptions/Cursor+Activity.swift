import EventStreamingCore

/// What goes on at a position.
struct CursorActivity {
    var inFlight = 0
    var waiting = 0
    var delayed = 0
    var behindParked = 0
    /// The unfinished offsets before ``Cursor/next``.
    var unfinished = 0
    /// The first of the offsets that are held, and who holds it.
    var held: (offset: Int64, holder: UInt64, attempt: Int)?
    /// The delivery that failed and falls due next.
    var retry: (due: Duration, offset: Int64, delivery: Delivery)?
}

extension Cursor {
    /// What goes on now. Costs a look at every delivery.
    func activity(at uptime: Duration, parked: ParkedKeys) -> CursorActivity {
        var activity = CursorActivity()
        for delivery in deliveries.values {
            let count = delivery.remaining.count
            if delivery.redriven == nil {
                activity.unfinished += count
            }
            guard let offset = delivery.remaining.lowest else { continue }
            switch delivery.phase {
            case .leased(let holder, _):
                activity.inFlight += count
                if offset < activity.held?.offset ?? .max {
                    activity.held = (offset, holder, delivery.attempts)
                }
            case .waiting(let due):
                activity.waiting += count
                if !parked.isEmpty {
                    delivery.keys?.forEach(in: delivery.remaining) { offset, key in
                        activity.behindParked += parked.holdBack(key, at: offset) ? 1 : 0
                    }
                }
                guard due > uptime else { continue }
                activity.delayed += count
                let next = activity.retry.map { ($0.due, $0.offset) } ?? (.never, .max)
                if delivery.failure != nil, (due, offset) < next {
                    activity.retry = (due, offset, delivery)
                }
            }
        }
        return activity
    }
}
