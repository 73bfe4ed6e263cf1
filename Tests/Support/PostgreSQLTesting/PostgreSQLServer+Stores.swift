#if PostgreSQL
package import EventStreamingCore
package import EventStreamingPostgreSQL
import Foundation
import ProcessTesting

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
    package func runScript(_ sql: some StringProtocol) async throws {
        let arguments = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url()]
        try await withProgram(at: "/usr/bin/env", arguments) { psql in
            var unread: (any Error)?
            do { try await psql.write(String(sql)) } catch { unread = error }
            try await psql.closeInput()
            let outcome = try await psql.outcome()
            guard outcome.exitCode == 0 else {
                throw ServerProblem("psql failed: \(outcome.errors.joined(separator: "\n"))")
            }
            if let unread { throw unread }
        }
    }
}
#endif
