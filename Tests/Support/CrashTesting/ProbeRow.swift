/// A row that a handler wrote in the transaction that finished its event.
package struct ProbeRow: Sendable {
    /// Grows from one row to the next; of two rows whose transactions did not overlap, the later one has the larger.
    package let number: Int64
    package let subscription: String
    package let eventID: String
    package let place: Int64

    package init(number: Int64, subscription: String, eventID: String, place: Int64) {
        self.number = number
        self.subscription = subscription
        self.eventID = eventID
        self.place = place
    }
}
