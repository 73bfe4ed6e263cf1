import EventStreamingCore
import GRDB
import GRDBSQLite
import Synchronization

/// A database file, open and up to date: one connection that writes, several that read, and nobody else.
final class SQLiteDatabase: Sendable {
    let path: String
    private let pool: DatabasePool
    /// Held for as long as the connections are open: until the last one has put its log into the file, nobody else can
    /// open it.
    private let lock: FileLock
    private let log: LogFile

    /// Opens the file, which is created when there is none, and brings its tables up to date.
    ///
    /// - Throws: `invalidArgument` for a path that is none; `storeUnavailable` when the file is in use or cannot be
    ///   opened; `storeDamaged`; `unsupported` for tables of a newer version.
    init(path: String) throws(EventStreamingError) {
        try Self.check(path)
        self.path = path
        let realPath = FileLock.realPath(of: path)
        lock = try Self.lock(realPath)
        do {
            pool = try DatabasePool(path: realPath, configuration: Self.configuration)
            log = try pool.writeWithoutTransaction { database in
                try Self.prepareWriter(database)
                try Migration.migrate(database)
                let log = LogFile(of: realPath, pageSize: try Int64.fetchOne(database, sql: "PRAGMA page_size") ?? 4096)
                log.attach(to: database)
                return log
            }
        } catch {
            throw Self.openingError(error, path: path)
        }
    }

    deinit {
        // Otherwise the connection that writes would be closed by its queue, which may still be busy letting go of the
        // last call, and at that moment the next opener would find the file locked. Never called on that queue: see
        // `write`. What cannot be closed, because somebody keeps a statement, is closed with it.
        pool.writeWithoutTransaction { log.detach(from: $0) }
        try? pool.close()
        lock.release()
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "EventStreamingSQLite"
        configuration.maximumReaderCount = 8
        // The lock file keeps other services out; this is for people who look at the file with other programs.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;")
        }
        return configuration
    }

    private static func prepareWriter(_ database: Database) throws {
        // A pool sets NORMAL, with which a power cut may take what was committed.
        try database.execute(sql: "PRAGMA synchronous = FULL;")
    }

    // MARK: - Access

    /// Runs `body` with the connection that writes, on its own thread of execution, one call after the other.
    ///
    /// Takes no notice of cancellation. `body` leaves no transaction open.
    func write<Result: Sendable>(_ body: @escaping @Sendable (Database) -> Result) async -> Result {
        let call = Call(body)
        return await withUnsafeContinuation { continuation in
            pool.asyncWriteWithoutTransaction { database in
                if let result = call.run(database) {
                    continuation.resume(returning: result)
                }
            }
        }
    }

    /// Something to be called once, and forgotten before the caller hears of it: what it refers to may keep the store
    /// alive, and the queue that lets go of it last would have to close itself.
    private final class Call<Result: Sendable>: Sendable {
        private let body: Mutex<(@Sendable (Database) -> Result)?>

        init(_ body: @escaping @Sendable (Database) -> Result) {
            self.body = Mutex(body)
        }

        /// - Returns: What the call returns, the first time.
        func run(_ database: Database) -> Result? {
            body.withLock { $0.take() }?(database)
        }
    }

    /// Runs `body` with one of the connections that read, in the thread of the caller: reading pages that are mostly in
    /// memory takes less time than going to another thread and back.
    func read<Result>(_ body: (Database) throws -> Result) throws(EventStreamingError) -> Result {
        do {
            return try pool.unsafeRead(body)
        } catch {
            throw EventStreamingError(cause: error, path: path)
        }
    }

    // MARK: - Opening

    private static func check(_ path: String) throws(EventStreamingError) {
        guard !path.isEmpty, !path.contains("\0"), path != ":memory:", !path.hasPrefix("file:") else {
            throw EventStreamingError(
                .invalidArgument,
                "\(EventStreamingError.printable(path)) is no path of a database file. Give a path such as "
                    + "\"data/events.sqlite\"; to keep events in memory, use the storage .inMemory."
            )
        }
        guard FileLock.folderExists(for: path) else {
            throw EventStreamingError(
                .storeUnavailable,
                "There is no folder for the database \(EventStreamingError.printable(path)). Create the folder first."
            )
        }
    }

    private static func lock(_ path: String) throws(EventStreamingError) -> FileLock {
        do throws(FileLock.Failure) {
            return try FileLock(path: path + "-lock")
        } catch {
            let file = EventStreamingError.printable(path)
            switch error {
            case .isHeld(let holder):
                let who = holder.map { "process \($0)" } ?? "another process"
                throw EventStreamingError(
                    .storeUnavailable,
                    "The database \(file) is open already, in \(who). One process at a time may use it: stop the other, "
                        + "or share events between processes with PostgreSQL."
                )
            case .system(_, let reason):
                throw EventStreamingError(
                    .storeUnavailable,
                    "The database \(file) cannot be opened: its lock file \(EventStreamingError.printable(path + "-lock")) "
                        + "cannot be written (\(reason)). Make the folder writable for this process."
                )
            }
        }
    }

    private static func openingError(_ error: any Error, path: String) -> EventStreamingError {
        let file = EventStreamingError.printable(path)
        switch error as? Migration.Failure {
        case .isNewer(let version):
            return EventStreamingError(
                .unsupported,
                "The tables in \(file) have version \(version); this program knows versions up to \(Migration.latest). "
                    + "Use a program that is at least as new as the one that wrote them."
            )
        case .nameTaken(let name):
            return EventStreamingError(
                .unsupported,
                "The database \(file) has a table or index '\(name)' of another program. Choose another file."
            )
        case nil:
            return EventStreamingError(sqlite: error, path: path)
        }
    }
}
