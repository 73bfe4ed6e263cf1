#if PostgreSQL
public import EventStreamingCore
import EventStreamingStoreKit

/// A store in a PostgreSQL database, to be shared by any number of instances of a service.
///
/// It connects on first use, makes its tables where they are missing, and connects again whenever it has to. What an
/// append or an acknowledgement returned for is on the server's disk.
///
/// Make it with ``EventStreamingCore/EventStreamingStorage/postgreSQL(url:options:)``, or by hand for tests.
public final class PostgreSQLEventStreamStore: Sendable {
    /// How much goes into one commit at most, in bytes; beyond this, larger is not faster.
    private static let bytesPerCommit = 1 << 20

    let clock: any EventStreamingClock
    let options: PostgreSQLOptions
    let connections: Connections
    let directory = StreamDirectory()
    let subscriptions = SubscriptionDirectory()
    let observers = ObserverList()
    let news: News
    let expired = ExpiredConsumers(limit: Limits.rememberedExpirations)
    let arrival: Arrival
    let appends: GroupCommit<[PendingAppend], [AppendGroup.Outcome]>

    /// Creates a store. Nothing is connected yet.
    ///
    /// - Parameters:
    ///   - url: Where the database is: `postgresql://user:password@host:port/database`. Everything that libpq
    ///     understands may be in it. Unless it says otherwise by `sslmode`, a server on another machine must prove who it
    ///     is by a certificate.
    ///   - options: The settings.
    ///   - clock: The time, for timestamps.
    /// - Throws: `invalidConfiguration` when the URL cannot be read.
    public init(
        url: String,
        options: PostgreSQLOptions = PostgreSQLOptions(),
        clock: any EventStreamingClock = SystemClock()
    ) throws(EventStreamingError) {
        let settings = try ConnectionSettings(url: url, options: options)
        self.options = options
        self.clock = clock
        let pool = Pool(limit: options.maximumConnections, patience: options.connectionPatience) {
            () throws(DatabaseError) in
            try await Connection.open { () throws(DatabaseError) in
                try Session(settings, timeout: options.connectTimeout, answerTimeout: options.answerTimeout)
            }
        }
        let migrator = Migrator(
            schema: options.schema,
            settings: MigrationSettings(eventsPerPartition: options.eventsPerPartition)
        )
        let preparation = Preparation { (session) throws(EventStreamingError) in
            try migrator.prepare(session, migrates: options.migratesSchema)
        }
        let connections = Connections(pool: pool, preparation: preparation)
        self.connections = connections
        let hints =
            options.sendsHints
            ? HintChannel(settings, options: options, streams: directory, observers: observers) : nil
        let news = News(observers: observers, streams: directory, hints: hints)
        self.news = news
        let (directory, expired, usesServerTime) = (directory, expired, options.usesServerTime)
        let arrival = Arrival(
            streams: directory,
            subscriptions: subscriptions,
            makeGate: { entry in
                Self.makeGate(entry, connections, directory, clock, news, expired, usesServerTime)
            },
            clock: clock,
            usesServerTime: usesServerTime,
            news: news,
            expired: expired
        )
        self.arrival = arrival
        appends = GroupCommit(maximumWeight: Self.bytesPerCommit, weight: Self.weight) { requests in
            await Self.commit(requests, connections, arrival)
        }
    }

    private static func weight(of appends: [PendingAppend]) -> Int {
        appends.reduce(0) { $0 + $1.weight }
    }

    deinit {
        news.hints?.stop()
    }

    // MARK: - Calling the database

    /// Does a unit of work on a connection of the pool, once the tables are as they must be.
    func withSession<Result: Sendable>(
        isCancellable: Bool = true,
        _ body: @escaping @Sendable (Session) throws(EventStreamingError) -> Result
    ) async throws(EventStreamingError) -> Result {
        try await connections.withSession(isCancellable: isCancellable, body)
    }

    private static func commit(
        _ requests: [[PendingAppend]],
        _ connections: Connections,
        _ arrival: Arrival
    ) async -> [[AppendGroup.Outcome]] {
        let appends = requests.count == 1 ? requests[0] : Array(requests.joined())
        let outcomes: [AppendGroup.Outcome]
        do throws(EventStreamingError) {
            let (made, changed) = try await connections.withSession(isCancellable: false) {
                (session) throws(EventStreamingError) -> ([AppendGroup.Outcome], Set<StreamName>) in
                var group = AppendGroup(appends, arrival)
                group.run(session)
                return (group.outcomes.map { $0 ?? .failure(.lostAppend) }, group.changed)
            }
            arrival.news.tell(changed)
            outcomes = made
        } catch {
            outcomes = Array(repeating: .failure(error), count: appends.count)
        }
        var rest = outcomes[...]
        return requests.map { request in
            defer { rest = rest.dropFirst(request.count) }
            return Array(rest.prefix(request.count))
        }
    }
}

extension EventStreamingError {
    fileprivate static let lostAppend = EventStreamingError(.storeUnavailable, "The append was not decided.")
}
#endif
