import EventStreaming

/// The table `seat_charges`, which belongs to this service and is in the database of the events.
protocol ChargeTable: Sendable {
    /// Makes the table where it is missing.
    func create() async throws

    /// Writes a row in a transaction that somebody else commits.
    func insert(_ charge: SeatCharge, in transaction: any StoreTransaction) throws

    /// All rows.
    func charges() async throws -> [SeatCharge]
}
