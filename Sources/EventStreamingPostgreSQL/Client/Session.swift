#if PostgreSQL
import CLibPQ
import EventStreamingCore

/// One connection to the server, as the thread sees it that owns it: every call blocks until the answer is there.
///
/// Not sendable on purpose: it never leaves its ``Connection``.
final class Session {
    private let handle: OpaquePointer
    private let answerTimeout: Duration
    /// The names of prepared statements, by their text.
    private var prepared: [String: String] = [:]
    /// Statements of somebody else that were run on this connection.
    private var texts = RepeatedTexts()
    /// Until when the server may take to answer; set for every unit of work.
    private var deadline: ContinuousClock.Instant?

    /// When connecting began. As long as the connection is good, the server has not crashed since.
    let openedAt = ContinuousClock.now

    /// What the server calls this connection.
    let backendID: Int32

    /// Connects.
    ///
    /// - Throws: ``DatabaseError`` with the server's SQLSTATE where it answered.
    init(_ settings: ConnectionSettings, timeout: Duration, answerTimeout: Duration) throws(DatabaseError) {
        guard let handle = settings.withKeywords({ PQconnectStartParams($0, $1, 0) }) else {
            throw DatabaseError(message: "There is no memory for a connection.", isFatal: true)
        }
        self.handle = handle
        self.answerTimeout = answerTimeout
        // Makes the library tell the SQLSTATE of a refused connection, which is only in its text.
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        let deadline = ContinuousClock.now + timeout
        var state = PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK, PQstatus(handle) != CONNECTION_BAD {
            let isWriting = state == PGRES_POLLING_WRITING
            guard
                case .ready = waitForSocket(
                    PQsocket(handle),
                    forReading: !isWriting,
                    forWriting: isWriting,
                    until: deadline
                )
            else {
                PQfinish(handle)
                var error = DatabaseError(message: "The server did not answer within \(timeout).", isFatal: true)
                error.message = "no answer within \(timeout)"
                throw error
            }
            state = PQconnectPoll(handle)
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            let error = Self.refusal(handle)
            PQfinish(handle)
            throw error
        }
        PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
        PQsetnonblocking(handle, 1)
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        backendID = PQbackendPID(handle)
    }

    deinit {
        PQfinish(handle)
    }

    /// Where the library's text says `FATAL:  28P01: …`, whatever language the first word is in.
    private static func refusal(_ handle: OpaquePointer) -> DatabaseError {
        var error = DatabaseError(connection: handle)
        let words = error.message.split(separator: ":", omittingEmptySubsequences: true)
        for (index, word) in words.enumerated() {
            let word = word.drop { $0 == " " }
            let isState =
                word.utf8.count == 5
                && word.utf8.allSatisfy {
                    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                        || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                }
            // FATAL itself has five letters; a state begins with a digit or has one.
            if isState, word.contains(where: \.isNumber) {
                error.sqlState = String(word)
                let rest = words[(index + 1)...].joined(separator: ":")
                error.message = String((rest.split(separator: ";").first ?? "").drop { $0 == " " })
                break
            }
        }
        return error
    }

    // MARK: - State

    /// Whether the connection is good and no transaction is open.
    var isIdle: Bool {
        PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) == PQTRANS_IDLE
            && PQpipelineStatus(handle) == PQ_PIPELINE_OFF
    }

    /// Looks whether the server has closed the connection meanwhile, without asking it.
    var isAlive: Bool {
        // Its last words come before the end. Whoever says more than a few things unasked is not to be trusted either.
        for _ in 0..<8 {
            guard hasInput(PQsocket(handle)) else { return isIdle }
            guard PQconsumeInput(handle) == 1 else { return false }
        }
        return false
    }

    /// Whether a transaction is open in which nothing has failed.
    var isInTransaction: Bool { PQtransactionStatus(handle) == PQTRANS_INTRANS }

    var socket: Int32 { PQsocket(handle) }

    /// What is needed to end a statement from another thread; the caller frees it with `PQfreeCancel`.
    func makeCancelHandle() -> OpaquePointer? {
        PQgetCancel(handle)
    }

    /// Gives the following calls a common time in which the server has to answer.
    func beginWork() {
        deadline = .now + answerTimeout
    }

    // MARK: - Statements

    /// Runs a statement.
    @discardableResult
    func query(_ statement: Statement, _ parameters: consuming Parameters) throws(DatabaseError) -> Rows {
        let name = try prepare(statement)
        guard send(name, parameters) else { throw DatabaseError(connection: handle) }
        return try rows(of: answers())
    }

    /// Runs a statement without values.
    @discardableResult
    func query(_ statement: Statement) throws(DatabaseError) -> Rows {
        try query(statement, Parameters(capacity: 0))
    }

    /// Runs text that may have several statements: for migrations and transaction control.
    func execute(_ text: String) throws(DatabaseError) {
        guard PQsendQuery(handle, text) == 1 else { throw DatabaseError(connection: handle) }
        for result in try answers() {
            defer { PQclear(result) }
            try Self.check(result)
        }
    }

    /// Runs a statement of somebody else, with values and results in text form. One that changes rows is prepared when it
    /// comes again.
    func textQuery(_ text: String, _ values: [String?]) throws(DatabaseError) -> [[String?]] {
        guard !text.utf8.contains(0), !values.contains(where: { $0?.utf8.contains(0) == true }) else {
            throw DatabaseError(message: "a text has a NUL", sqlState: "22021", isFatal: false)
        }
        let name = try prepareRepeated(text)
        let isSent = withCStrings(values[...], []) { pointers in
            let count = Int32(clamping: pointers.count)
            return name.map { PQsendQueryPrepared(handle, $0, count, pointers, nil, nil, 0) == 1 }
                ?? (PQsendQueryParams(handle, text, count, nil, pointers, nil, nil, 0) == 1)
        }
        guard isSent else { throw DatabaseError(connection: handle) }
        let rows: Rows
        do throws(DatabaseError) {
            rows = try self.rows(of: answers())
        } catch {
            // It may have been prepared for a table that looks different now. Refused values are no reason to think so.
            if error.sqlState?.hasPrefix("23") != true {
                texts.forget(text)
            }
            throw error
        }
        return (0..<rows.count).map { row in
            (0..<rows.columnCount).map { column in rows.optionalText(row, column) }
        }
    }

    /// The name under which a text is prepared; `nil` when it is to be run as it is.
    private func prepareRepeated(_ text: String) throws(DatabaseError) -> String? {
        switch texts.next(text) {
        case .runAsItIs: return nil
        case .runPrepared(let name): return name
        case .prepare(let name):
            guard PQsendPrepare(handle, name, text, 0, nil) == 1 else { throw DatabaseError(connection: handle) }
            _ = try rows(of: answers())
            texts.notePrepared(text, as: name)
            return name
        }
    }

    private func withCStrings<Result>(
        _ values: ArraySlice<String?>,
        _ pointers: [UnsafePointer<CChar>?],
        _ body: ([UnsafePointer<CChar>?]) -> Result
    ) -> Result {
        guard let value = values.first else { return body(pointers) }
        guard let value else { return withCStrings(values.dropFirst(), pointers + [nil], body) }
        return value.withCString { withCStrings(values.dropFirst(), pointers + [$0], body) }
    }

    /// Runs statements, none waiting for the one before, in one round trip and, when none is open, in one transaction.
    ///
    /// - Returns: The rows of each.
    func pipeline(_ commands: [Command]) throws(DatabaseError) -> [Rows] {
        var names: [String] = []
        for command in commands {
            names.append(try prepare(command.statement))
        }
        guard PQenterPipelineMode(handle) == 1 else { throw DatabaseError(connection: handle) }
        for (name, command) in zip(names, commands) {
            var parameters = Parameters()
            command.fill(&parameters)
            guard send(name, parameters) else { throw DatabaseError(connection: handle) }
        }
        guard PQpipelineSync(handle) == 1 else { throw DatabaseError(connection: handle) }
        var failure: DatabaseError?
        var results: [Rows] = []
        for _ in commands {
            do throws(DatabaseError) {
                results.append(try rows(of: answers()))
            } catch {
                failure = failure ?? error
                if error.isFatal { throw error }
            }
        }
        for result in try answers(untilSync: true) { PQclear(result) }
        PQexitPipelineMode(handle)
        if let failure { throw failure }
        return results
    }

    private func prepare(_ statement: Statement) throws(DatabaseError) -> String {
        if let name = prepared[statement.text] { return name }
        let name = "s\(prepared.count)"
        guard PQsendPrepare(handle, name, statement.text, 0, nil) == 1 else {
            throw DatabaseError(connection: handle)
        }
        _ = try rows(of: answers())
        prepared[statement.text] = name
        return name
    }

    private func send(_ name: String, _ parameters: borrowing Parameters) -> Bool {
        parameters.withValues { count, values, lengths, formats in
            PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1) == 1
        }
    }

    // MARK: - Answers

    private func rows(of results: [OpaquePointer]) throws(DatabaseError) -> Rows {
        for result in results.dropLast() {
            PQclear(result)
        }
        guard let last = results.last else { throw DatabaseError(connection: handle) }
        do throws(DatabaseError) {
            try Self.check(last)
        } catch {
            PQclear(last)
            throw error
        }
        return Rows(last)
    }

    private static func check(_ result: OpaquePointer) throws(DatabaseError) {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY, PGRES_PIPELINE_SYNC: break
        case PGRES_PIPELINE_ABORTED:
            throw DatabaseError(message: "an earlier statement failed", sqlState: "25P02", isFatal: false)
        default: throw DatabaseError(result: result)
        }
    }

    /// Waits for the results of the statement that was sent. In a pipeline, the end of it is one result of its own.
    private func answers(untilSync: Bool = false) throws(DatabaseError) -> [OpaquePointer] {
        var results: [OpaquePointer] = []
        do throws(DatabaseError) {
            while true {
                try waitForAnswer()
                guard let result = PQgetResult(handle) else { return results }
                results.append(result)
                if untilSync, PQresultStatus(result) == PGRES_PIPELINE_SYNC { return results }
            }
        } catch {
            for result in results { PQclear(result) }
            throw error
        }
    }

    private func waitForAnswer() throws(DatabaseError) {
        var isFlushed = PQflush(handle)
        while isFlushed == 1 || PQisBusy(handle) == 1 {
            switch waitForSocket(PQsocket(handle), forWriting: isFlushed == 1, until: deadline) {
            case .ready:
                guard PQconsumeInput(handle) == 1 else { throw DatabaseError(connection: handle) }
            case .timedOut:
                var error = DatabaseError(message: "no answer within \(answerTimeout)", isFatal: true)
                error.isTimeout = true
                throw error
            case .woken, .failed:
                throw DatabaseError(connection: handle)
            }
            if isFlushed == 1 {
                isFlushed = PQflush(handle)
            }
        }
        if isFlushed < 0 { throw DatabaseError(connection: handle) }
    }

    // MARK: - Hints

    /// Takes the next notification that has arrived, if any: who sent it, and what it says.
    func nextNotification() -> (sender: Int32, payload: String)? {
        guard let notification = PQnotifies(handle) else { return nil }
        defer { PQfreemem(notification) }
        return (notification.pointee.be_pid, String(cString: notification.pointee.extra))
    }

    /// Takes in what has arrived; `false` when the connection is gone.
    func consumeInput() -> Bool {
        PQconsumeInput(handle) == 1
    }
}
#endif
