import EventStreaming

/// Holds the rows of charges against the events of users, all that there ever were: each event must have exactly one row.
struct ChargeCheck: Equatable, ConsoleEntry {
    var kind = "charges"
    let events: Int
    let rows: Int
    /// Events without a row.
    let uncharged: Int
    /// Rows there are too many: second ones, and such for no event.
    let chargedTwice: Int
    /// What all rows come to, in cents.
    let cents: Int

    var isExact: Bool { uncharged == 0 && chargedTwice == 0 }

    init(events: [MessageID], charges: [SeatCharge]) {
        let charged = Set(charges.map(\.event))
        let uncharged = events.count { !charged.contains($0.description) }
        self.events = events.count
        rows = charges.count
        self.uncharged = uncharged
        chargedTwice = charges.count - (events.count - uncharged)
        cents = charges.reduce(0) { $0 + $1.cents }
    }

    var text: String {
        "\(Subscriptions.billing): \(rows) rows for \(events) events, \(cents / SeatCharge.price) seats to pay"
    }
}
