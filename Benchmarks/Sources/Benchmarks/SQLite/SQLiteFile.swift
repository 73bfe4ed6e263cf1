import CBaselines
import EventStreaming
import EventStreamingSQLite

/// A database file in a folder of its own.
struct SQLiteFile: DurableDatabase {
    static let name = "sqlite"

    let path: String

    static func withEmpty<Result>(_ body: (SQLiteFile) async throws -> Result) async throws -> Result {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        return try await body(SQLiteFile(path: folder.path + "/events.sqlite"))
    }

    var storage: EventStreamingStorage { .sqlite(path: path) }

    func filled() {}

    func bytes(of table: String) throws -> Double {
        try Baseline.rate { sqlite_table_bytes(path, table) }
    }

    func appendBatches(_ batches: Int, of size: Int) throws -> Double {
        try Baseline.rate { sqlite_append_batches(path, 1, Int64(batches), Int32(size)) }
    }

    func append(threads: Int, each count: Int, streams: Int) throws -> Double {
        try Baseline.rate { sqlite_append_concurrent(path, 1, Int32(threads), Int64(count)) }
    }

    func replay(_ count: Int, inPagesOf size: Int) throws -> Double {
        try Baseline.rate { sqlite_replay(path, 1, Int64(count), Int32(size)) }
    }

    func consume(_ count: Int, inPagesOf size: Int, readers: Int, eachReadsAll: Bool) throws -> Double {
        try Baseline.rate { sqlite_consume(path, 1, Int64(count), Int32(size), Int32(readers)) }
    }

    func commitLatency(_ count: Int, rate: Int) throws -> Latency {
        var latency = baseline_latency()
        _ = try Baseline.rate { sqlite_commit_latency(path, 1, Int64(count), Int32(rate), &latency) }
        return Latency(latency)
    }

    func withOldSnapshot<Result>(_ body: () async throws -> Result) async throws -> Result {
        let snapshot = sqlite_snapshot_begin(path)
        guard snapshot != nil else { throw Baseline.problem }
        defer { sqlite_snapshot_end(snapshot) }
        return try await body()
    }
}
