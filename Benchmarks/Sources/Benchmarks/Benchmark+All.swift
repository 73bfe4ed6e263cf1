extension Benchmark {
    /// Every benchmark, in the order in which they run.
    static let all: [Benchmark] = [
        .dispatch,
        .inMemoryBatch, .inMemoryBatchSingleDelivery, .inMemoryBatchMeasured, .inMemoryBatchText,
        .inMemorySingle, .inMemoryFanout, .inMemoryContention,
        .inMemoryMemory, .inMemoryMemoryFlow,
        .partPayloadSize, .partMessageID, .partStoreAppend, .partStoreLease,
    ]
}
