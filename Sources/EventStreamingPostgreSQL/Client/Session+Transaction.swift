#if PostgreSQL
import EventStreamingCore

/// How a transaction is made durable.
enum Durability {
    /// On the server's disk before it returns.
    case full
    /// Atomic as any other, but a crash of the server may forget it, as a whole, within its last moments.
    case relaxed
}

extension Session {
    private static let begin = Statement("BEGIN")
    private static let beginSnapshot = Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    private static let commit = Statement("COMMIT")
    private static let relax = Statement("SET LOCAL synchronous_commit = off")

    /// Does `body` in a transaction, which ends with it: committed when it returns, rolled back when it throws.
    ///
    /// - Throws: What `body` throws; a ``DatabaseError`` whose `effect` is `unknown` when the answer to the commit did
    ///   not come.
    func transaction<Result, Failure: Error>(
        _ durability: Durability = .full,
        orThrow wrap: (DatabaseError) -> Failure,
        _ body: (Session) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do throws(DatabaseError) {
            switch durability {
            case .full: try query(Self.begin)
            case .relaxed: _ = try pipeline([Command(Self.begin), Command(Self.relax)])
            }
        } catch {
            throw wrap(error)
        }
        let result: Result
        do throws(Failure) {
            result = try body(self)
        } catch {
            // When this fails the connection is of no use any more, which whoever lent it will see.
            try? execute("ROLLBACK")
            throw error
        }
        do throws(DatabaseError) {
            // Otherwise the commit would be a rollback that looks like a success.
            guard isInTransaction else { throw isIdle ? .endedTransaction : .failedTransaction }
            try query(Self.commit)
        } catch {
            try? execute("ROLLBACK")
            throw wrap(error.afterChange)
        }
        return result
    }

    /// Does `body` in a transaction.
    func transaction<Result>(
        _ durability: Durability = .full,
        _ body: (Session) throws(DatabaseError) -> Result
    ) throws(DatabaseError) -> Result {
        try transaction(durability, orThrow: { $0 }, body)
    }

    /// Does `body`, which only reads, as of one moment.
    func snapshot<Result>(
        _ body: (Session) throws(EventStreamingError) -> Result
    ) throws(EventStreamingError) -> Result {
        try rows(Self.beginSnapshot)
        do throws(EventStreamingError) {
            let result = try body(self)
            try rows(Self.commit)
            return result
        } catch {
            try? execute("ROLLBACK")
            throw error
        }
    }

    /// Runs one statement that is a transaction of its own and changes something: a lost connection leaves it open
    /// whether it happened.
    func change(_ statement: Statement, _ parameters: consuming Parameters) throws(DatabaseError) -> Rows {
        do throws(DatabaseError) {
            return try query(statement, parameters)
        } catch {
            throw error.afterChange
        }
    }

    /// Runs statements in one round trip that are one transaction together and change something.
    func change(_ commands: [Command]) throws(DatabaseError) -> [Rows] {
        do throws(DatabaseError) {
            return try pipeline(commands)
        } catch {
            throw error.afterChange
        }
    }
}

extension DatabaseError {
    /// The error, when it came in answer to something that was perhaps committed.
    fileprivate var afterChange: DatabaseError {
        var error = self
        if isFatal, sqlState == nil || sqlState?.hasPrefix("57P") == true {
            error.effect = .unknown
        }
        return error
    }
}
#endif
