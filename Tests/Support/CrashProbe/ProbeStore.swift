import EventStreaming
import EventStreamingSQLite
import GRDB

#if PostgreSQL
import EventStreamingPostgreSQL
#endif

/// The store, with a table of the service's own beside the events.
enum ProbeStore: Sendable {
    case sqlite(SQLiteEventStreamStore)
    #if PostgreSQL
    case postgreSQL(PostgreSQLEventStreamStore)
    #endif

    init?(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "sqlite": self = .sqlite(try SQLiteEventStreamStore(path: parts[1]))
        #if PostgreSQL
        case "postgresql": self = .postgreSQL(try PostgreSQLEventStreamStore(url: parts[1]))
        #endif
        default: return nil
        }
    }

    var storage: EventStreamingStorage {
        EventStreamingStorage { _ in
            switch self {
            case .sqlite(let store): store
            #if PostgreSQL
            case .postgreSQL(let store): store
            #endif
            }
        }
    }

    func makeTables() async throws {
        switch self {
        case .sqlite(let store):
            try await store.withSQLiteTransaction { transaction in
                try transaction.database.execute(
                    sql: """
                        CREATE TABLE IF NOT EXISTS probe_effects (place INTEGER NOT NULL);
                        CREATE TABLE IF NOT EXISTS exact_effects (
                            number INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, event_id TEXT NOT NULL,
                            place INTEGER NOT NULL
                        )
                        """)
            }
        #if PostgreSQL
        case .postgreSQL(let store):
            try await store.withPostgreSQLTransaction { transaction in
                // Services that start at the same time would be in each other's way.
                try transaction.execute("SELECT pg_advisory_xact_lock(1)")
                try transaction.execute("CREATE TABLE IF NOT EXISTS public.probe_effects (place bigint NOT NULL)")
                try transaction.execute(
                    """
                    CREATE TABLE IF NOT EXISTS public.exact_effects (
                        number bigserial PRIMARY KEY, subscription text NOT NULL, event_id text NOT NULL,
                        place bigint NOT NULL
                    )
                    """)
            }
        #endif
        }
    }

    /// Writes a row for the event in the transaction that finishes it. Nothing keeps a second one away.
    static func insert(
        _ subscription: String,
        _ delivery: TransactionalDelivery,
        _ transaction: any StoreTransaction
    ) throws {
        let (id, place) = ("\(delivery.record.id)", delivery.record.offset.rawValue)
        if transaction is SQLiteTransaction {
            try transaction.sqlite.database.execute(
                sql: "INSERT INTO exact_effects (subscription, event_id, place) VALUES (?, ?, ?)",
                arguments: [subscription, id, place]
            )
        } else {
            #if PostgreSQL
            try transaction.postgreSQL.execute(
                "INSERT INTO public.exact_effects (subscription, event_id, place) VALUES ($1, $2, $3::bigint)",
                [subscription, id, "\(place)"]
            )
            #endif
        }
    }

    /// Writes a row for the event and finishes it, in one transaction.
    func record(_ delivery: Delivery) async throws {
        let place = delivery.record.offset.rawValue
        switch self {
        case .sqlite:
            try await delivery.acknowledge { transaction in
                try transaction.sqlite.database.execute(
                    sql: "INSERT INTO probe_effects VALUES (?)",
                    arguments: [place]
                )
            }
        #if PostgreSQL
        case .postgreSQL:
            try await delivery.acknowledge { transaction in
                _ = try transaction.postgreSQL.execute(
                    "INSERT INTO public.probe_effects VALUES ($1::bigint)",
                    ["\(place)"]
                )
            }
        #endif
        }
    }
}
