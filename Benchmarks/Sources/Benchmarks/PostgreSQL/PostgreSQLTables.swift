import CBaselines
import EventStreaming
import EventStreamingCore
import EventStreamingPostgreSQL
import PostgreSQLTesting
import Synchronization

/// A schema of its own on a server that is started when it is first needed, forces everything to the disk, and ends with
/// this process.
struct PostgreSQLTables: DurableDatabase {
    static let name = "postgresql"

    private static let server = Result { try PostgreSQLServer(.durable) }
    private static let number = Atomic(0)

    let url: String
    let schema: String

    static func withEmpty<Result>(_ body: (PostgreSQLTables) async throws -> Result) async throws -> Result {
        let schema = "benchmark_\(number.add(1, ordering: .relaxed).newValue)"
        let tables = PostgreSQLTables(url: try server.get().url(), schema: schema)
        defer {
            _ = postgresql_execute(tables.url, "DROP SCHEMA IF EXISTS \(schema) CASCADE")
            // Otherwise it comes while something else is measured.
            _ = postgresql_execute(tables.url, "CHECKPOINT")
        }
        return try await body(tables)
    }

    var storage: EventStreamingStorage {
        EventStreamingStorage { environment throws(EventStreamingError) in
            var options = PostgreSQLOptions()
            options.schema = try SchemaName(schema)
            return try PostgreSQLEventStreamStore(url: url, options: options, clock: environment.clock)
        }
    }

    func filled() throws {
        // Otherwise the server does it by itself, sooner or later.
        guard postgresql_execute(url, "VACUUM (ANALYZE) \(schema).events") == 0 else { throw Baseline.problem }
    }

    func bytes(of table: String) throws -> Double {
        try Baseline.rate { postgresql_table_bytes(url, schema, table) }
    }

    func appendBatches(_ batches: Int, of size: Int) throws -> Double {
        try Baseline.rate { postgresql_append_batches(url, schema, Int64(batches), Int32(size)) }
    }

    func append(threads: Int, each count: Int, streams: Int) throws -> Double {
        try Baseline.rate {
            postgresql_append_concurrent(url, schema, Int32(threads), Int64(count), Int32(streams))
        }
    }

    func replay(_ count: Int, inPagesOf size: Int) throws -> Double {
        try Baseline.rate { postgresql_replay(url, schema, 1, Int64(count), Int32(size)) }
    }

    func consume(_ count: Int, inPagesOf size: Int, readers: Int, eachReadsAll: Bool) throws -> Double {
        try Baseline.rate {
            postgresql_consume(url, schema, 1, Int64(count), Int32(size), Int32(readers), eachReadsAll ? 1 : 0)
        }
    }

    func commitLatency(_ count: Int, rate: Int) throws -> Latency {
        var latency = baseline_latency()
        _ = try Baseline.rate { postgresql_commit_latency(url, schema, Int64(count), Int32(rate), &latency) }
        return Latency(latency)
    }

    func withOldSnapshot<Result>(_ body: () async throws -> Result) async throws -> Result {
        let snapshot = postgresql_snapshot_begin(url, schema)
        guard snapshot != nil else { throw Baseline.problem }
        defer { postgresql_snapshot_end(snapshot) }
        return try await body()
    }
}
