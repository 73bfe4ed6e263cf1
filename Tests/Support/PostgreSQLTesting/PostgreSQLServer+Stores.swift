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
}
#endif
