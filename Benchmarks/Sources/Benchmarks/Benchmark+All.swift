extension Benchmark {
    /// Every benchmark, in the order in which they run.
    static let all: [Benchmark] =
        [
            .dispatch,
            .inMemoryBatch, .inMemoryBatchSingleDelivery, .inMemoryBatchMeasured, .inMemoryBatchText,
            .inMemorySingle, .inMemoryFanout, .inMemoryContention,
            .inMemoryMemory, .inMemoryMemoryFlow,
            .groupScaling, .groupSimulation,
            .grpcSubscribe, .grpcPublish, .grpcLatency, .grpcClients,
            .partPayloadSize, .partMessageID, .partStoreAppend, .partStoreLease,
        ] + SQLiteFile.benchmarks + PostgreSQLTables.benchmarks
}

extension SQLiteFile {
    fileprivate static let benchmarks: [Benchmark] = [
        appendBatch,
        appendConcurrent("", streams: 1, "32 threads in C that share a writer", target: 0.7),
        replay,
        consume(consumers: 1), consume(consumers: 4),
        consumeBacklog, consumeConsumed, consumeSnapshot,
        latency,
        exactlyOnceTransactional, exactlyOnceMark,
        receipts,
        memoryReplay, memoryConsume,
    ]
}

extension PostgreSQLTables {
    fileprivate static let benchmarks: [Benchmark] = [
        appendBatch,
        appendConcurrent("", streams: 1, "32 connections in C, one stream", target: 2),
        appendConcurrent("-streams", streams: 32, "32 connections in C, 32 streams", target: 2),
        replay,
        consume(consumers: 1), consume(consumers: 4),
        consumeBacklog, consumeConsumed, consumeSnapshot,
        latency,
        fanout,
        exactlyOnceTransactional, exactlyOnceMark, rebalance,
        receipts,
        memoryReplay, memoryConsume,
    ]
}
