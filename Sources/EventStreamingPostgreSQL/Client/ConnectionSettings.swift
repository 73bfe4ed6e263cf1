#if PostgreSQL
import CLibPQ
import EventStreamingCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where the server is and how to behave there, from a URL. Holds the password, so it is never described.
struct ConnectionSettings: Sendable {
    /// The keywords of libpq with their values.
    private(set) var values: [String: String]

    /// Reads a connection URL, or a text of `keyword=value` pairs.
    ///
    /// - Throws: `invalidConfiguration`. The message says nothing of the URL: any part may be a piece of the password
    ///   when a character is not escaped.
    init(url: String, options: PostgreSQLOptions) throws(EventStreamingError) {
        guard !url.contains("\0"), let parsed = Self.parse(url) else {
            throw EventStreamingError(
                .invalidConfiguration,
                "The connection URL of PostgreSQL cannot be read; write postgresql://user:password@host:port/database, "
                    + "with special characters in the password percent-encoded."
            )
        }
        values = parsed
        let ports = parsed["port"].map { $0.split(separator: ",", omittingEmptySubsequences: false) } ?? []
        guard ports.allSatisfy({ $0.isEmpty || UInt16($0) != nil }) else {
            throw EventStreamingError(
                .invalidConfiguration,
                "The connection URL of PostgreSQL has a port that is no number from 0 to 65535."
            )
        }
        if let host = parsed["host"], host.contains("@") {
            throw EventStreamingError(
                .invalidConfiguration,
                "The connection URL of PostgreSQL has an '@' in its host; percent-encode the '@' of the password as %40."
            )
        }
        for (keyword, value) in Self.defaults(options, isLocal: Self.isLocal(parsed)) where values[keyword] == nil {
            // What the environment says of encryption is the user's word, too.
            if keyword == "sslmode", getenv("PGSSLMODE") != nil { continue }
            values[keyword] = value
        }
        // The user's own options come last and win; the schema is the store's, so it comes after them.
        let own = values["options"].map { $0 + " " } ?? ""
        values["options"] =
            Self.serverOptions(options) + " " + own + "-c search_path=\(options.schema.name),public,pg_temp"
    }

    private static func parse(_ url: String) -> [String: String]? {
        var message: UnsafeMutablePointer<CChar>?
        guard let parsed = PQconninfoParse(url, &message) else {
            PQfreemem(message)
            return nil
        }
        defer { PQconninfoFree(parsed) }
        var values: [String: String] = [:]
        var option = parsed
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                values[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        return values
    }

    /// Whether all hosts are this machine: a socket in the file system, or the loop-back interface.
    private static func isLocal(_ values: [String: String]) -> Bool {
        var names = [values["host"], values["hostaddr"]].compactMap { $0 }
        if names.isEmpty {
            // Where the URL names no host, libpq asks the environment.
            for name in ["PGHOST", "PGHOSTADDR"] {
                if let value = getenv(name) {
                    names.append(String(cString: value))
                }
            }
        }
        let hosts = names.joined(separator: ",")
        return hosts.split(separator: ",").allSatisfy { host in
            host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost" || host == "::1"
                || host.hasPrefix("127.")
        }
    }

    private static func defaults(_ options: PostgreSQLOptions, isLocal: Bool) -> [String: String] {
        var defaults = [
            "application_name": options.applicationName,
            "client_encoding": "UTF8",
            "keepalives": "1", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3",
            "tcp_user_timeout": "20000",
            // Nothing leaves this machine in the clear, and nobody can pose as the server, unless the URL says so.
            "sslmode": isLocal ? "prefer" : "verify-full",
        ]
        let systemRoots = "/etc/ssl/certs/ca-certificates.crt"
        if !isLocal, isReadable(systemRoots) {
            defaults["sslrootcert"] = systemRoots
        }
        return defaults
    }

    private static func serverOptions(_ options: PostgreSQLOptions) -> String {
        [
            ("statement_timeout", options.statementTimeout),
            ("lock_timeout", options.lockTimeout),
            ("idle_in_transaction_session_timeout", options.idleInTransactionTimeout),
        ]
        .map { "-c \($0)=\(max(1, $1.clampedNanoseconds / 1_000_000))" }
        .joined(separator: " ")
    }

    /// Calls `body` with keywords and values as libpq wants them.
    func withKeywords<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        let pairs = values.sorted { $0.key < $1.key }
        let strings = pairs.flatMap { [$0.key, $0.value] }.map { Array($0.utf8CString) }
        // One buffer for all texts, so that their addresses hold while `body` runs.
        let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: strings.reduce(1) { $0 + $1.count })
        defer {
            // The password was in there.
            buffer.update(repeating: 0)
            buffer.deallocate()
        }
        buffer.initialize(repeating: 0)
        var pointers: [UnsafePointer<CChar>?] = []
        var position = 0
        for string in strings {
            _ = UnsafeMutableBufferPointer(rebasing: buffer[position...]).update(fromContentsOf: string)
            pointers.append(buffer.baseAddress.map { UnsafePointer($0 + position) })
            position += string.count
        }
        let keywords = stride(from: 0, to: pointers.count, by: 2).map { pointers[$0] } + [nil]
        let values = stride(from: 1, to: pointers.count, by: 2).map { pointers[$0] } + [nil]
        return keywords.withUnsafeBufferPointer { keywords in
            values.withUnsafeBufferPointer { values in
                guard let keywords = keywords.baseAddress, let values = values.baseAddress else {
                    preconditionFailure("Both end with nil, so neither is empty.")
                }
                return body(keywords, values)
            }
        }
    }
}
#endif
