/// Where the charges are written down.
///
/// Nothing about it refuses a second row for the same event: that there is none, the subscription guarantees. The report at
/// the end counts (``ChargeCheck``).
enum ChargeBook: Sendable {
    /// A table beside the events: a row is committed in the transaction that finishes its event.
    case table(any ChargeTable)
    /// Memory has no transactions: the event is locked, charged, and then marked.
    case list(ChargeList)

    /// What this means for whoever pays.
    var promise: String {
        switch self {
        case .table: "once, in the transaction that finishes the event"
        case .list: "once by lock and mark: a crash between charge and mark would charge again"
        }
    }

    func charges() async throws -> [SeatCharge] {
        switch self {
        case .table(let table): try await table.charges()
        case .list(let list): list.charges
        }
    }
}
