import EventStreaming
import EventStreamingSQLite
import GRDB

struct SQLiteChargeTable: ChargeTable {
    let store: SQLiteEventStreamStore

    func create() async throws {
        try await store.withSQLiteTransaction { transaction in
            try transaction.database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS seat_charges (
                        event_id TEXT NOT NULL, user_id TEXT NOT NULL, cents INTEGER NOT NULL
                    )
                    """
            )
        }
    }

    func insert(_ charge: SeatCharge, in transaction: any StoreTransaction) throws {
        try transaction.sqlite.database.execute(
            sql: "INSERT INTO seat_charges (event_id, user_id, cents) VALUES (?, ?, ?)",
            arguments: [charge.event, charge.user, charge.cents]
        )
    }

    func charges() async throws -> [SeatCharge] {
        try await store.withSQLiteTransaction { transaction in
            try Row.fetchAll(transaction.database, sql: "SELECT event_id, user_id, cents FROM seat_charges").map {
                row in
                SeatCharge(event: row[0], user: row[1], cents: row[2])
            }
        }
    }
}
