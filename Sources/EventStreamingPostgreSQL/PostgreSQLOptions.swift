#if PostgreSQL
public import EventStreamingCore

/// Settings of a store in PostgreSQL.
public struct PostgreSQLOptions: Sendable {
    /// The schema that the tables are in; created when it is missing. Defaults to `event_streaming`.
    public var schema = SchemaName.default
    /// The most connections the store opens for its work. One more listens for news. Defaults to 8. At least 1.
    public var maximumConnections = 8
    /// How long a call waits for a connection, new or given back. Defaults to 5 seconds.
    public var connectionPatience = Duration.seconds(5)
    /// How long one attempt to connect may take. Defaults to 5 seconds.
    public var connectTimeout = Duration.seconds(5)
    /// How long the server may work on one statement before it ends it. Defaults to 30 seconds.
    public var statementTimeout = Duration.seconds(30)
    /// How long a statement waits for a lock. Defaults to 10 seconds.
    public var lockTimeout = Duration.seconds(10)
    /// How long a transaction may wait for its client before the server ends it. Defaults to 30 seconds.
    public var idleInTransactionTimeout = Duration.seconds(30)
    /// How long a unit of work may take altogether before its connection counts as lost. Defaults to 60 seconds.
    public var answerTimeout = Duration.seconds(60)
    /// What the server's views call the connections. Defaults to `event-streaming`.
    public var applicationName = "event-streaming"
    /// Whether missing tables are made, and old ones changed, on first use. Otherwise the store refuses to work until
    /// somebody has run ``PostgreSQLSchema/sql(from:options:)``. Defaults to `true`.
    public var migratesSchema = true
    /// How many offsets one partition of the events holds when the schema is created. Defaults to a million.
    public var eventsPerPartition = 1_000_000
    /// Whether other instances are told about news, and their news are heard, without waiting for the next poll.
    /// Defaults to `true`.
    public var sendsHints = true

    /// How often consumers that found nothing ask again without a hint. By default after 50 milliseconds first, then less
    /// and less often, up to every second.
    public var polling = PollingPolicy(shortestInterval: .milliseconds(50), longestInterval: .seconds(1))

    /// Whether the server's clock decides about leases. Only tests that move a clock themselves have another decide.
    package var usesServerTime = true

    /// Creates the default settings.
    public init() {}
}
#endif
