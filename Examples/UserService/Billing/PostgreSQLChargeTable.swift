#if PostgreSQL
import EventStreaming
import EventStreamingPostgreSQL

struct PostgreSQLChargeTable: ChargeTable {
    let store: PostgreSQLEventStreamStore

    func create() async throws {
        try await store.withPostgreSQLTransaction { transaction in
            // Processes that start at the same time would disturb each other.
            try transaction.execute("SELECT pg_advisory_xact_lock(hashtext('seat_charges'))")
            try transaction.execute(
                """
                CREATE TABLE IF NOT EXISTS public.seat_charges (
                    event_id text NOT NULL, user_id text NOT NULL, cents bigint NOT NULL
                )
                """
            )
        }
    }

    func insert(_ charge: SeatCharge, in transaction: any StoreTransaction) throws {
        try transaction.postgreSQL.execute(
            "INSERT INTO public.seat_charges (event_id, user_id, cents) VALUES ($1, $2, $3)",
            [charge.event, charge.user, String(charge.cents)]
        )
    }

    func charges() async throws -> [SeatCharge] {
        try await store.withPostgreSQLTransaction { transaction in
            try transaction.execute("SELECT event_id, user_id, cents FROM public.seat_charges").map { row in
                SeatCharge(event: row[0] ?? "", user: row[1] ?? "", cents: row[2].flatMap { Int($0) } ?? 0)
            }
        }
    }
}
#endif
