import EventStreaming

extension DurableDatabase {
    static var appendBatch: Benchmark {
        Benchmark(
            "\(name)-append-batch",
            "1 task appending batches of 100 events of 256 bytes, each durable, against the same in C",
            target: .ratio(atLeast: 0.7)
        ) { rounds in
            let (batches, size) = (rounds.isFull ? 5000 : 1000, 100)
            return try await rounds.compare(unit: "events/s") {
                try await withEmpty { database in
                    try await DurableStream(database.storage).appendBatches(batches, of: size)
                }
            } with: {
                try await withEmptyTables { try $0.appendBatches(batches, of: size) }
            }
        }
    }

    /// - Parameters:
    ///   - streams: How many streams the tasks append to.
    static func appendConcurrent(_ suffix: String, streams: Int, _ baseline: String, target: Double) -> Benchmark {
        Benchmark(
            "\(name)-append-concurrent\(suffix)",
            "32 tasks appending single events of 256 bytes, each durable, against \(baseline)",
            target: .ratio(atLeast: target)
        ) { rounds in
            let (tasks, count) = (32, rounds.isFull ? 5000 : 1000)
            return try await rounds.compare(unit: "events/s") {
                try await withEmpty { database in
                    try await DurableStream(database.storage, count: streams).append(tasks: tasks, each: count)
                }
            } with: {
                try await withEmptyTables(streams: streams) {
                    try $0.append(threads: tasks, each: count, streams: streams)
                }
            }
        }
    }

    /// Calls `body` with a database that has tables and streams, and that no store has open.
    static func withEmptyTables<Result>(streams: Int = 1, _ body: (Self) throws -> Result) async throws -> Result {
        try await withEmpty { database in
            _ = try await DurableStream(database.storage, count: streams)
            return try body(database)
        }
    }

    /// Calls `body` with a database whose stream has so many events, and that no store has open.
    static func withEvents<Result>(_ count: Int, _ body: (Self) async throws -> Result) async throws -> Result {
        try await withEmpty { database in
            Console.say("  storing \(count) events …")
            try await DurableStream(database.storage).fill(count)
            try database.filled()
            return try await body(database)
        }
    }
}
