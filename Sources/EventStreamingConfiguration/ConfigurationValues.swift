import Configuration
import EventStreaming
import EventStreamingCore
import EventStreamingSQLite

#if PostgreSQL
import EventStreamingPostgreSQL
#endif

/// Reads values, and gathers what is wrong with them.
struct ConfigurationValues {
    private let reader: ConfigReader
    private var problems: [String] = []

    init(_ reader: ConfigReader) {
        self.reader = reader
    }

    /// Throws one error with all problems, if there are any.
    func finish() throws(EventStreamingError) {
        guard problems.isEmpty else {
            let count = problems.count == 1 ? "1 problem" : "\(problems.count) problems"
            throw EventStreamingError(.invalidConfiguration, "The values read have \(count):", problems: problems)
        }
    }

    // MARK: - Storage

    /// The storage; `nil` when there is a problem with it.
    mutating func storage() -> EventStreamingStorage? {
        let kind = reader.string(forKey: "storage", default: "memory")
        switch kind {
        case "memory":
            return .inMemory
        case "sqlite":
            guard let path = text("path", isSecret: false, for: kind) else { return nil }
            return .sqlite(path: path)
        case "postgresql":
            return postgreSQL()
        default:
            problems.append(
                "storage is \(EventStreamingError.printable(kind)); it must be memory, sqlite or postgresql."
            )
            return nil
        }
    }

    #if PostgreSQL
    private mutating func postgreSQL() -> EventStreamingStorage? {
        var options = PostgreSQLOptions()
        read("pool.maximumConnections", into: &options.maximumConnections)
        guard let url = text("url", isSecret: true, for: "postgresql") else { return nil }
        return .postgreSQL(url: url, options: options)
    }
    #else
    private mutating func postgreSQL() -> EventStreamingStorage? {
        problems.append(
            "storage is postgresql, but the service was built without it; enable the trait PostgreSQL of the package."
        )
        return nil
    }
    #endif

    private mutating func text(_ key: ConfigKey, isSecret: Bool, for storage: String) -> String? {
        guard let text = reader.string(forKey: key, isSecret: isSecret), !text.isEmpty else {
            problems.append("\(key) is missing; storage \(storage) needs it.")
            return nil
        }
        return text
    }

    // MARK: - Options

    mutating func read(into options: inout EventStreamingOptions) {
        read("limits.maximumPayloadBytes", into: &options.limits.maximumPayloadBytes)
        read("limits.maximumHeaders", into: &options.limits.maximumHeaders)
        read("limits.maximumHeaderBytes", into: &options.limits.maximumHeaderBytes)
        read("shutdownTimeoutSeconds", into: &options.shutdownTimeout)
        read("retentionIntervalSeconds", into: &options.retentionInterval)
    }

    private mutating func read(_ key: ConfigKey, into value: inout Int) {
        guard let number = number(key) else { return }
        value = number
    }

    private mutating func read(_ key: ConfigKey, into value: inout Duration) {
        guard let number = number(key) else { return }
        value = .seconds(number)
    }

    /// A whole number of at least 1; `nil` when it is missing, or a problem.
    ///
    /// Read as text: a number that is none must not count as missing.
    private mutating func number(_ key: ConfigKey) -> Int? {
        guard let text = reader.string(forKey: key) ?? reader.int(forKey: key).map(String.init) else { return nil }
        guard let number = Int(text), number >= 1, number <= Int(Int32.max) else {
            problems.append("\(key) is \(EventStreamingError.printable(text)); it must be a whole number from 1 on.")
            return nil
        }
        return number
    }
}
