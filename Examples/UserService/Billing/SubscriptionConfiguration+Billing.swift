import EventStreaming

extension SubscriptionConfiguration {
    /// Has every event charged exactly once: the engine runs the handler, with retries, for as long as the service runs.
    mutating func charge(to book: ChargeBook) {
        switch book {
        case .table(let table):
            // The row, the mark that the event was processed, and the position: one transaction of the store.
            semantics = .exactlyOnce
            handleInTransaction { delivery, transaction in
                try table.insert(SeatCharge(for: delivery.event, delivery.record), in: transaction)
            }
        case .list(let list):
            // Has to be said explicitly, for it promises less: see `ChargeBook.promise`.
            semantics = .exactlyOnce(.lockAndMark)
            handle { delivery in
                list.append(SeatCharge(for: delivery.event, delivery.record))
            }
        }
    }
}
