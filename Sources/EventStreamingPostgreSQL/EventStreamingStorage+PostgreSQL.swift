#if PostgreSQL
public import EventStreamingCore

extension EventStreamingStorage {
    /// Events in a PostgreSQL database, shared by all instances of a service.
    ///
    /// Nothing is connected before the first call; see ``PostgreSQLEventStreamStore``. Connections stay open for as long as
    /// something refers to the engine, also after its `run()`, when what is stored can still be read. Nobody else has to
    /// wait for them to be closed.
    ///
    /// - Parameters:
    ///   - url: Where the database is: `postgresql://user:password@host:port/database`. When it cannot be read, creating
    ///     the engine throws.
    ///   - options: The settings.
    public static func postgreSQL(
        url: String,
        options: PostgreSQLOptions = PostgreSQLOptions()
    ) -> EventStreamingStorage {
        EventStreamingStorage { environment throws(EventStreamingError) in
            try PostgreSQLEventStreamStore(url: url, options: options, clock: environment.clock)
        }
    }
}
#endif
