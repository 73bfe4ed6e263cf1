import EventStreamingCore

/// What a subscription does with its events in the transaction that finishes them.
struct TransactionalHandler: Sendable {
    typealias Body = @Sendable (TransactionalDelivery, any StoreTransaction) throws -> Void

    private let body: Body

    init(_ body: @escaping Body) {
        self.body = body
    }

    /// Handles one type, and leaves others to `next`; with none, they need no handling.
    init<E: Event>(
        _ type: E.Type,
        _ body: @escaping @Sendable (E, TransactionalDelivery, any StoreTransaction) throws -> Void,
        otherwise next: TransactionalHandler?
    ) {
        self.body = { delivery, transaction in
            if let event = delivery.event as? E {
                try body(event, delivery, transaction)
            } else {
                try next?(delivery, transaction)
            }
        }
    }

    func callAsFunction(_ delivery: TransactionalDelivery, _ transaction: any StoreTransaction) throws {
        try body(delivery, transaction)
    }
}
