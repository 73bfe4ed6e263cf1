import EventStreamingCore
import EventStreamingStoreKit
import GRDB
import GRDBSQLite

/// Makes all changes of the database, group by group, each group in one transaction.
///
/// Keeps in memory what every change needs: the numbers of streams, and the state of subscriptions. A group changes
/// memory and rows alike; when its transaction fails, memory is given up and loaded again from the rows. Heartbeats, which
/// are not written down by themselves, outlast that.
///
/// Sendable without a lock, because everything in here is used only within ``SQLiteDatabase/write(_:)``, which never
/// runs two calls at the same time.
final class Writer: @unchecked Sendable {
    /// Turns times of the monotonic clock into such that can be written down, and back.
    let times: WrittenTimes
    /// Makes the random part of retry delays.
    let seed: UInt64
    private let clock: any EventStreamingClock

    var streams: [StreamName: StreamEntry] = [:]
    var subscriptions: [SubscriptionID: SubscriptionEntry] = [:]
    /// Those who expired since somebody asked.
    var expired: [ConsumerRegistration] = []
    /// What the clock said last. Callers read it before they get here, so they may come out of order.
    var uptime = Duration.zero
    /// The streams to tell of when the transaction is committed.
    var changedStreams: Set<StreamName> = []
    var rows = EventRows()

    /// What was in memory only when it had to be given up.
    private(set) var signsOfLife: [SubscriptionID: SignsOfLife] = [:]
    /// ``expired`` as it was before the group under way.
    private var expiredBefore: [ConsumerRegistration] = []

    private var statements: [SQLiteStatement?] = Array(repeating: nil, count: Query.allCases.count)
    private var connection: Database?
    private var isLoaded = false
    /// Whether what the process before this one left behind is settled.
    private var isRecovered = false
    private var isDurable = true
    private var isInTransaction = false

    init(clock: any EventStreamingClock, seed: UInt64) {
        self.clock = clock
        times = WrittenTimes(clock)
        self.seed = seed
    }

    /// A statement, ready to be bound.
    func statement(_ query: Query) throws -> SQLiteStatement {
        if let statement = statements[query.rawValue] { return statement }
        let statement = try SQLiteStatement(requireConnection(), query.sql)
        statements[query.rawValue] = statement
        return statement
    }

    func requireConnection() throws -> Database {
        guard let connection else { throw SQLiteFailure(code: SQLITE_MISUSE, message: "no connection") }
        return connection
    }

    // MARK: - Groups

    /// Carries out the operations, in their order and in one transaction.
    ///
    /// When one of them makes the database fail, each is tried again in a transaction of its own, so that it fails alone.
    func perform(_ operations: [Operation], on database: Database, path: String) -> GroupOutcome {
        connection = database
        defer { connection = nil }
        do {
            return try attempt(operations)
        } catch let interruption as Interruption {
            abandon()
            guard operations.count > 1, !interruption.isUnknown else {
                return GroupOutcome(
                    answers: operations.indices.map { .failed(interruption.error(for: $0, path: path)) })
            }
        } catch {
            abandon()
            return GroupOutcome(
                answers: operations.map { _ in .failed(EventStreamingError(sqlite: error, path: path)) })
        }
        var outcome = GroupOutcome(answers: [])
        for operation in operations {
            let single = perform([operation], on: database, path: path)
            outcome.answers += single.answers
            outcome.changedStreams.formUnion(single.changedStreams)
        }
        return outcome
    }

    private func attempt(_ operations: [Operation]) throws -> GroupOutcome {
        var answers: [Answer] = []
        expiredBefore = expired
        do {
            try load()
            try choose(durable: operations.contains(where: mustBeDurable))
            if !isRecovered {
                try endRegistrations(at: Moment(clock))
            }
            answers.reserveCapacity(operations.count)
            for operation in operations {
                answers.append(try answer(operation))
            }
            try writeChanges()
        } catch var interruption as Interruption {
            interruption.culprit = answers.count
            throw interruption
        } catch {
            throw Interruption(cause: error, isUnknown: false)
        }
        if isInTransaction {
            do {
                try statement(.commit).run()
                isInTransaction = false
            } catch {
                throw Interruption(cause: error, isUnknown: SQLiteFailure(error).leavesCommitOpen)
            }
        }
        isRecovered = true
        defer { changedStreams.removeAll(keepingCapacity: true) }
        return GroupOutcome(answers: answers, changedStreams: changedStreams)
    }

    private func answer(_ operation: Operation) throws -> Answer {
        switch operation {
        case .append(let appends, let moment):
            try begin()
            return .appended(
                try appends.map { append in
                    do {
                        return .success(try self.append(append.checked, to: append.stream, at: moment))
                    } catch let refusal as EventStreamingError {
                        return .failure(refusal)
                    }
                })
        case .change(let change):
            do {
                return .changed(try change.body(self))
            } catch let refusal as EventStreamingError {
                return .failed(refusal)
            }
        }
    }

    private func mustBeDurable(_ operation: Operation) -> Bool {
        switch operation {
        case .append: true
        case .change(let change): change.isDurable(self)
        }
    }

    // MARK: - Transactions

    /// Begins the transaction of the group, if it was not begun yet: some groups only look.
    func begin() throws {
        guard !isInTransaction else { return }
        try statement(.begin).run()
        isInTransaction = true
    }

    /// Chooses whether the next commit waits for the disk. A commit that does not is safe when the process dies, and may
    /// be forgotten by a power cut; one that does brings all before it to the disk as well.
    private func choose(durable: Bool) throws {
        guard durable != isDurable, let connection else { return }
        let pragma = durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"
        guard sqlite3_exec(connection.sqliteConnection, pragma, nil, nil, nil) == SQLITE_OK else {
            throw SQLiteFailure(connection.sqliteConnection)
        }
        isDurable = durable
    }

    private func abandon() {
        changedStreams.removeAll()
        // Nobody was told of them.
        expired = expiredBefore
        if isLoaded {
            signsOfLife = subscriptions.mapValues(\.state.signsOfLife)
        }
        isLoaded = false
        isInTransaction = false
        // Some errors have ended the transaction already.
        if let connection, sqlite3_get_autocommit(connection.sqliteConnection) == 0 {
            sqlite3_exec(connection.sqliteConnection, "ROLLBACK", nil, nil, nil)
        }
    }

    /// Lets go of everything that belongs to the connection.
    func close() {
        statements = []
        isLoaded = false
    }

    // MARK: - Memory

    private func load() throws {
        guard !isLoaded else { return }
        streams = [:]
        subscriptions = [:]
        try loadStreams()
        try loadSubscriptions()
        signsOfLife = [:]
        isLoaded = true
    }

    /// Writes what was changed in memory only. Also in the middle of a group, before and after what somebody else does in
    /// its transaction, so that the rows agree with each other even if that ends the transaction.
    func writeChanges() throws {
        let changed = streams.values.filter(\.isChanged)
        if !changed.isEmpty {
            try begin()
        }
        // Positions that only passed over events wait for a transaction that somebody needs.
        guard isInTransaction else { return }
        for stream in changed {
            try removeTrimmedRows(of: stream)
            try write(stream)
        }
        for subscription in subscriptions.values where subscription.isChanged {
            try write(subscription)
        }
    }
}

/// Why a group was not carried out.
struct Interruption: Error {
    let cause: any Error
    /// Whether the transaction may have been committed nevertheless.
    let isUnknown: Bool
    /// Which operation of the group is to blame, where it is one of them alone.
    var culprit: Int?

    init(cause: any Error, isUnknown: Bool) {
        self.cause = cause
        self.isUnknown = isUnknown
    }

    /// What the caller of one of the operations is told.
    fileprivate func error(for place: Int, path: String) -> EventStreamingError {
        let error = EventStreamingError(cause: cause, path: path)
        guard isUnknown, place != culprit else { return error }
        return EventStreamingError(
            .storeUnavailable,
            "The transaction did not end as it should, so it is unknown whether the change was made. Appending the same "
                + "events again is safe: events that are there already are recognised by their ids. (\(error.message))",
            underlying: error.underlying
        )
    }
}

extension SQLiteFailure {
    /// Whether a commit that failed like this may be found to have been made when the file is opened again. Not where
    /// SQLite refused it before anything was written that could be taken for a commit.
    fileprivate var leavesCommitOpen: Bool {
        switch primaryCode {
        case SQLITE_CONSTRAINT, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL, SQLITE_READONLY: false
        default: true
        }
    }
}

extension EventStreamingError {
    /// What a failure means for the caller of the store.
    init(cause: any Error, path: String) {
        if let damage = cause as? Damage {
            self.init(.storeDamaged, "The database \(Self.printable(path)) is damaged: \(damage.what).")
        } else if let error = cause as? EventStreamingError {
            self = error
        } else {
            self.init(sqlite: cause, path: path)
        }
    }
}

/// Rows that contradict each other, or that nobody of us wrote.
struct Damage: Error {
    let what: String
}
