#if PostgreSQL
import CLibPQ
import EventStreamingCore

/// What went wrong with a connection or a statement, before anybody decided what it means for the caller.
struct DatabaseError: Error {
    /// What happened to the transaction that was under way.
    enum Effect {
        /// Nothing was changed.
        case none
        /// The connection was lost before the answer to a commit: it is not known whether it happened.
        case unknown
    }

    /// The five characters that PostgreSQL gives every kind of error; `nil` where there was no answer.
    var sqlState: String?
    /// The server's or the library's message; without details, which may hold values.
    var message: String
    /// Whether the connection cannot be used any more.
    var isFatal: Bool
    var effect: Effect = .none
    /// Whether we gave up waiting for the answer.
    var isTimeout = false
    /// Whether the task was cancelled.
    var isCancellation = false

    /// The error of a result.
    init(result: OpaquePointer) {
        let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) }
        let primary = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
        sqlState = state
        message = Self.clean(primary ?? String(cString: PQresultErrorMessage(result)))
        // Class 57P: the server ends the connection.
        isFatal = state.map { $0.hasPrefix("57P") || $0.hasPrefix("08") } ?? true
    }

    /// The error of a connection that is not or no longer there.
    init(connection: OpaquePointer) {
        sqlState = nil
        message = Self.clean(String(cString: PQerrorMessage(connection)))
        isFatal = true
    }

    init(message: String, sqlState: String? = nil, isFatal: Bool) {
        self.sqlState = sqlState
        self.message = message
        self.isFatal = isFatal
    }

    static let cancelled: DatabaseError = {
        var error = DatabaseError(message: "The task was cancelled.", isFatal: false)
        error.isCancellation = true
        return error
    }()

    /// A statement ended the transaction.
    static let endedTransaction = DatabaseError(
        message: "a statement of the closure ended the transaction; leave that to the store: return, or throw",
        sqlState: "2D000",
        isFatal: false
    )

    /// A statement failed, and nobody said so.
    static let failedTransaction = DatabaseError(
        message: "a statement failed, and the closure returned all the same",
        sqlState: "25P02",
        isFatal: false
    )

    var isMissingPrivilege: Bool { sqlState == "42501" }
    var isUniqueViolation: Bool { sqlState == "23505" }
    /// A row for which there is no partition.
    var isCheckViolation: Bool { sqlState == "23514" }
    /// Serialisation failures and deadlocks, where the server asks to try again.
    var isConflict: Bool { sqlState == "40001" || sqlState == "40P01" }

    /// One line, and not too much of it.
    private static func clean(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.drop(while: { $0 == " " || $0 == "\t" }) }
        return String(lines.joined(separator: "; ").prefix(400))
    }
}

extension DatabaseError: CustomStringConvertible {
    var description: String { sqlState.map { "SQLSTATE \($0)" } ?? message }
}

extension EventStreamingError {
    /// Whether the server ended the transaction in favour of another, and asks to try again.
    ///
    /// Also when a partition was dropped in the moment between looking for it and writing to it.
    var isConflict: Bool {
        guard let error = underlying as? DatabaseError else { return false }
        return error.isConflict || error.isCheckViolation
    }
}

extension DatabaseError {
    /// The error for the caller: what it means, and what to do.
    var eventStreamingError: EventStreamingError {
        if effect == .unknown {
            return EventStreamingError(
                isTimeout ? .timedOut : .storeUnavailable,
                "The connection to PostgreSQL was lost before the answer came, so it is unknown whether the change was "
                    + "made. Appending the same events again is safe: events that are there already are recognised by "
                    + "their ids. (\(message))"
            )
        }
        if isCancellation {
            return EventStreamingError(.cancelled, "The task was cancelled; nothing was changed.")
        }
        if isTimeout {
            return EventStreamingError(
                .timedOut, "PostgreSQL did not answer in time; nothing was changed. (\(message))")
        }
        guard let sqlState else {
            return EventStreamingError(
                .storeUnavailable,
                "PostgreSQL cannot be reached; check that the server runs and that host and port are right. (\(message))"
            )
        }
        let (code, advice) = Self.meaning(of: sqlState)
        return EventStreamingError(code, "\(advice) (\(message))", underlying: self)
    }

    private static func meaning(of sqlState: String) -> (EventStreamingError.Code, String) {
        switch sqlState {
        case "28P01", "28000":
            (.invalidConfiguration, "PostgreSQL refuses user or password; check both, and the server's pg_hba.conf.")
        case "3D000":
            (.invalidConfiguration, "The database of the URL does not exist; create it or correct the URL.")
        case "42501":
            (.invalidConfiguration, "The database user lacks a privilege; grant it, or run the migration as another.")
        case "53300":
            (
                .storeUnavailable,
                "PostgreSQL has no connection left; lower the pool's limit or raise the server's max_connections."
            )
        case "25006":
            (
                .storeUnavailable,
                "PostgreSQL is read-only; connect to the primary server, or end default_transaction_read_only."
            )
        case "53100":
            (.storeUnavailable, "The disk of the PostgreSQL server is full; nothing was changed. Free space.")
        case "57014":
            (.timedOut, "The statement ran longer than allowed and was ended; nothing was changed.")
        case "55P03":
            (.timedOut, "A lock was held by somebody else for too long; nothing was changed.")
        case "40001", "40P01":
            (.storeUnavailable, "Concurrent transactions were in each other's way; nothing was changed, try again.")
        case "25P02":
            (.invalidArgument, "The transaction could not be committed; nothing was changed.")
        case "2D000":
            (.invalidArgument, "The transaction was ended inside of its closure; whether it was committed is unknown.")
        case "3F000", "42P01", "42703":
            (.invalidConfiguration, "The tables are not as this version needs them; run the migrations.")
        default:
            (.storeUnavailable, "PostgreSQL could not do it; nothing was changed.")
        }
    }
}
#endif
