public import EventStreamingCore
import EventStreamingStoreKit

/// Keeps streams and subscriptions in one SQLite file: durable, with nothing to install or to run.
///
/// ## What it guarantees
///
/// An append, a settlement, and every change of streams, subscriptions and consumers is on disk when the call returns: it
/// survives a crash of the process and a power cut. A lease survives a crash of the process; a power cut may forget the
/// latest ones, so an attempt may go uncounted then. When the file is opened again, the registrations and leases of the
/// process before have ended; what was leased counts as delivered once, and what waits for its time still does.
///
/// Calls that come at the same time share one transaction and one wait for the disk. A call that throws
/// `storeUnavailable` because the disk is full or fails may be repeated; the store goes on by itself when it can.
///
/// ## One process
///
/// One process at a time may have the file open. Another one, and a second store of the same process, is refused with
/// `storeUnavailable`. To share events between processes, use PostgreSQL.
///
/// ## Closing
///
/// The file is closed when nothing refers to the store any more. As soon as the last reference is gone, the log has been put
/// into the file, and the next store can open it. What closes it waits for that.
public final class SQLiteEventStreamStore: Sendable {
    let clock: any EventStreamingClock
    let database: SQLiteDatabase
    let observers = ObserverList()
    let readAhead = ReadAhead()
    let locks = LockTable()
    private let writer: Writer
    private let group: GroupCommit<Operation, Answer>

    /// Opens the file, which is created when there is none, and brings its tables up to date.
    ///
    /// - Parameters:
    ///   - path: The database file. Its folder must exist. SQLite keeps two more files beside it while it is open, with
    ///     `-wal` and `-shm` at the end of their names, and the store one with `-lock`.
    ///   - clock: The time. Leases, delays and time-outs follow its `uptime`, events are stamped with its `now`.
    ///   - seed: Makes the random part of retry delays repeatable; different in every store when `nil`.
    /// - Throws: `invalidArgument` for a path that cannot be one; `storeUnavailable` when another process has the file,
    ///   or it cannot be opened or written; `storeDamaged` when it is no SQLite database or damaged; `unsupported` when a
    ///   newer version of this library wrote it.
    public init(
        path: String,
        clock: any EventStreamingClock = SystemClock(),
        seed: UInt64? = nil
    ) throws(EventStreamingError) {
        let database = try SQLiteDatabase(path: path)
        let writer = Writer(clock: clock, seed: seed ?? UInt64.random(in: .min ... .max))
        let observers = observers
        // Not the database: what runs on its queue would keep it open for longer than the store lives.
        let path = database.path
        self.clock = clock
        self.database = database
        self.writer = writer
        group = GroupCommit(maximumWeight: 4096, weight: \.weight) { operations in
            let outcome = await database.write { writer.perform(operations, on: $0, path: path) }
            for stream in outcome.changedStreams {
                observers.notify(stream)
            }
            return outcome.answers
        }
    }

    deinit {
        writer.close()
    }

    /// The SQL that makes the tables, version by version, as the store runs it on a new file.
    public static var migrationScript: String { Migration.script }

    /// Begins to tell `observer` about appends, and about events that can be delivered again. Holds it weakly.
    ///
    /// Observers are called by a task that made a change, after the change, and without any lock.
    public func addObserver(_ observer: any StreamObserver) {
        observers.add(observer)
    }

    // MARK: - Changing

    /// Has the writer carry out an operation, together with those of others.
    func submit(_ operation: Operation) async throws(EventStreamingError) -> Answer {
        try await group.submit(operation)
    }

    /// Has the writer make a change.
    ///
    /// - Parameter durable: Whether the change must be on disk before this returns.
    func change<Result: Sendable>(
        durable: Bool,
        _ body: @escaping @Sendable (Writer) throws -> Result
    ) async throws(EventStreamingError) -> Result {
        try await change(durable: { _ in durable }, body)
    }

    /// Has the writer make a change; it is asked whether the change must be on disk before this returns.
    func change<Result: Sendable>(
        durable: @escaping @Sendable (Writer) -> Bool,
        _ body: @escaping @Sendable (Writer) throws -> Result
    ) async throws(EventStreamingError) -> Result {
        switch try await submit(.change(Operation.Change(isDurable: durable, body: body))) {
        case .changed(let result as Result): return result
        case .failed(let error): throw error
        case .changed, .appended: throw EventStreamingError(.storeUnavailable, "The store answered another question.")
        }
    }
}
