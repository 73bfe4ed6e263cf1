#if PostgreSQL
/// The tables of the store, for those who want to make them by hand.
public enum PostgreSQLSchema {
    /// The version of the tables that this library works with. It refuses newer ones, and changes older ones.
    public static let version = Migration.all.last?.version ?? 0

    /// The SQL that makes the tables, or brings them from an older version to the present one. Run it once, with `psql`
    /// for example, as a user who may make tables; the service itself then needs no such right.
    ///
    /// - Parameters:
    ///   - version: The version that the tables have; 0 when there are none.
    ///   - options: The schema, and how many events a partition holds.
    public static func sql(from version: Int = 0, options: PostgreSQLOptions = PostgreSQLOptions()) -> String {
        let settings = MigrationSettings(eventsPerPartition: options.eventsPerPartition)
        return Migrator(schema: options.schema, settings: settings).sql(from: version)
    }
}
#endif
