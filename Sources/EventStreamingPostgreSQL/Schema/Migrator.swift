#if PostgreSQL
import EventStreamingCore

/// Brings the tables to the version that this library needs.
///
/// Safe when many instances start at once, because each migration is made under a lock of the database; and when it is
/// ended in between, because each is one transaction.
struct Migrator: Sendable {
    private static let schemaExists = Statement("SELECT 1 FROM pg_namespace WHERE nspname = $1::text")
    /// Not by `to_regclass`, which may answer from a cache that has not heard yet of what another instance has just made.
    private static let tableExists = Statement(
        """
        SELECT EXISTS (
            SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1::text AND c.relname = 'schema_migrations'
        )
        """
    )
    private static let version = Statement("SELECT coalesce(max(version), 0)::bigint FROM schema_migrations")
    private static let record = Statement("INSERT INTO schema_migrations (version) VALUES ($1::bigint)")
    private static let lock = Statement(
        "SELECT pg_advisory_xact_lock(hashtextextended('event streaming migrations of ' || $1::text, 0))"
    )

    let schema: SchemaName
    let settings: MigrationSettings
    let migrations: [Migration]

    init(schema: SchemaName, settings: MigrationSettings, migrations: [Migration] = Migration.all) {
        self.schema = schema
        self.settings = settings
        self.migrations = migrations
    }

    /// The version that this library works with.
    var target: Int { migrations.last?.version ?? 0 }

    /// Makes what is missing, or, unless `migrates`, only looks.
    ///
    /// - Throws: `unsupported` when the tables are newer than this library; `invalidConfiguration` when they are older
    ///   and must not be changed.
    func prepare(_ session: Session, migrates: Bool) throws(EventStreamingError) {
        let present = try Self.translating { () throws(DatabaseError) in try presentVersion(session) }
        try check(present)
        guard present < target else { return }
        guard migrates else {
            throw EventStreamingError(
                .invalidConfiguration,
                "The tables in schema '\(schema)' have version \(present), this library needs \(target), and it is set "
                    + "not to change them; run the SQL of PostgreSQLSchema.sql(from: \(present)), or set migratesSchema."
            )
        }
        for migration in migrations where migration.version > present {
            try apply(migration, session)
        }
    }

    private func check(_ present: Int) throws(EventStreamingError) {
        guard present <= target else {
            throw EventStreamingError(
                .unsupported,
                "The tables in schema '\(schema)' have version \(present), but this library knows versions up to "
                    + "\(target) only; a newer version of the service has changed them. Start that version."
            )
        }
    }

    /// The version of the tables; 0 when there are none.
    private func presentVersion(_ session: Session) throws(DatabaseError) -> Int {
        var parameters = Parameters()
        parameters.add(schema.name)
        guard try session.query(Self.tableExists, parameters).bool(0, 0) else { return 0 }
        return Int(try session.query(Self.version).int64(0, 0))
    }

    private func apply(_ migration: Migration, _ session: Session) throws(EventStreamingError) {
        try session.transaction(orThrow: \.eventStreamingError) { (session) throws(EventStreamingError) in
            let present = try Self.translating { () throws(DatabaseError) in
                // Whoever comes second waits for the first to finish, however long that takes.
                try session.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
                var parameters = Parameters()
                parameters.add(schema.name)
                try session.query(Self.lock, parameters)
                return try presentVersion(session)
            }
            try check(present)
            guard present < migration.version else { return }
            try Self.translating { () throws(DatabaseError) in
                if present == 0 {
                    try makeSchema(session)
                }
                try session.execute(migration.sql(settings))
                var parameters = Parameters()
                parameters.add(Int64(migration.version))
                try session.query(Self.record, parameters)
            }
        }
    }

    private func makeSchema(_ session: Session) throws(DatabaseError) {
        var parameters = Parameters()
        parameters.add(schema.name)
        // Not by IF NOT EXISTS, which needs the right to make schemas even where there is nothing to make.
        if try session.query(Self.schemaExists, parameters).count == 0 {
            try session.execute("CREATE SCHEMA \(schema.name)")
        }
        try session.execute(Self.migrationsTable)
    }

    private static let migrationsTable = """
        CREATE TABLE schema_migrations (
            version bigint PRIMARY KEY,
            applied_at timestamptz NOT NULL DEFAULT now()
        );
        """

    private static func translating<Result>(
        _ body: () throws(DatabaseError) -> Result
    ) throws(EventStreamingError) -> Result {
        do throws(DatabaseError) {
            return try body()
        } catch {
            throw error.eventStreamingError
        }
    }

    /// Everything from version `present` on as SQL, to be run by hand.
    func sql(from present: Int) -> String {
        var text = "SET search_path = \(schema.name), pg_temp;\n"
        if present <= 0 {
            text = "CREATE SCHEMA IF NOT EXISTS \(schema.name);\n" + text + Self.migrationsTable + "\n"
        }
        for migration in migrations where migration.version > present {
            text += """

                -- Version \(migration.version): \(migration.purpose)
                BEGIN;
                \(migration.sql(settings))
                INSERT INTO schema_migrations (version) VALUES (\(migration.version));
                COMMIT;

                """
        }
        return text
    }
}
#endif
