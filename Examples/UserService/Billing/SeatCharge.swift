import EventStreaming

/// What one event of a user costs: a seat when somebody comes, and the seat's price back when somebody goes.
struct SeatCharge: Sendable, Hashable {
    /// The price of a seat, in cents.
    static let price = 990

    let event: String
    let user: String
    let cents: Int

    init(event: String, user: String, cents: Int) {
        self.event = event
        self.user = user
        self.cents = cents
    }

    init(for event: any Event, _ record: StoredEvent) {
        let cents =
            switch event {
            case is UserAdded: Self.price
            case is UserRemoved: -Self.price
            default: 0
            }
        self.init(event: record.id.description, user: record.correlationID?.rawValue ?? "", cents: cents)
    }
}
