import EventStreaming

/// A database that keeps streams durably, empty when it is made, and what a C program reaches with the same tables.
///
/// The store makes the tables, so that both sides have the same columns and indexes. The first stream that is created has
/// number 1 in them.
protocol DurableDatabase: Sendable {
    /// What the names of its benchmarks begin with.
    static var name: String { get }

    /// Calls `body` with an empty database, which is removed afterwards.
    static func withEmpty<Result>(_ body: (Self) async throws -> Result) async throws -> Result

    /// The storage that keeps its streams here.
    var storage: EventStreamingStorage { get }

    /// Does what the database would do by itself some time after many events came.
    func filled() throws

    /// How many bytes a table has, its indexes included.
    func bytes(of table: String) throws -> Double

    // MARK: - Baselines, in events a second

    /// One connection, batches.
    func appendBatches(_ batches: Int, of size: Int) throws -> Double
    /// Many threads, single events.
    func append(threads: Int, each count: Int, streams: Int) throws -> Double
    /// Pages, nothing else.
    func replay(_ count: Int, inPagesOf size: Int) throws -> Double
    /// Pages and a commit of the cursor after each: in turns, or every reader all pages.
    func consume(_ count: Int, inPagesOf size: Int, readers: Int, eachReadsAll: Bool) throws -> Double
    /// Single commits at a steady rate.
    func commitLatency(_ count: Int, rate: Int) throws -> Latency

    /// Calls `body` while a transaction is open that began before and still sees what was there then.
    func withOldSnapshot<Result>(_ body: () async throws -> Result) async throws -> Result
}
