#if PostgreSQL
package import EventStreamingCore
package import EventStreamingPostgreSQL
import Foundation

extension PostgreSQLServer {
    /// Settings with a schema that nobody else has.
    package static func freshOptions() throws -> PostgreSQLOptions {
        var options = PostgreSQLOptions()
        options.schema = try SchemaName("t" + UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: ""))
        options.maximumConnections = 4
        options.usesServerTime = false
        options.sendsHints = false
        return options
    }

    /// A store that has nothing in it yet.
    package static func makeStore(
        clock: any EventStreamingClock,
        change: (inout PostgreSQLOptions) -> Void = { _ in }
    ) throws -> PostgreSQLEventStreamStore {
        var options = try freshOptions()
        change(&options)
        return try PostgreSQLEventStreamStore(url: shared.get().url(), options: options, clock: clock)
    }

    /// Runs SQL with `psql`, as an administrator would.
    ///
    /// - Throws: What `psql` complains about.
    package func runScript(_ sql: some StringProtocol) throws {
        let psql = Process()
        let (input, errors) = (Pipe(), Pipe())
        psql.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        psql.arguments = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url()]
        psql.standardInput = input
        psql.standardOutput = FileHandle.nullDevice
        psql.standardError = errors
        try psql.run()
        input.fileHandleForWriting.write(Data(sql.utf8))
        try input.fileHandleForWriting.close()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        psql.waitUntilExit()
        guard psql.terminationStatus == 0 else {
            throw ServerProblem("psql failed: \(String(decoding: complaint, as: UTF8.self))")
        }
    }
}
#endif
