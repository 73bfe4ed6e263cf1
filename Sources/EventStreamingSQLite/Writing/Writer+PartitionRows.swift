import EventStreamingCore
import EventStreamingStoreKit

extension Writer {
    /// Who has which partition of a consumer group.
    func partitions(of subscription: Int64) throws -> [PartitionRecord] {
        let query = try statement(.partitions)
        query.bind(1, subscription)
        defer { query.reset() }
        var partitions: [PartitionRecord] = []
        while try query.step() {
            partitions.append(
                PartitionRecord(
                    number: Int(clamping: query.int(0)),
                    owner: query.optionalInt(1).map { UInt64(clamping: $0) },
                    epoch: UInt64(clamping: query.int(2))
                )
            )
        }
        return partitions
    }

    /// - Parameter count: How many partitions there are now.
    func write(_ partitions: [PartitionRecord], of subscription: Int64, count: Int) throws {
        guard !partitions.isEmpty else { return }
        let remove = try statement(.removePartitions)
        remove.bind(1, subscription)
        remove.bind(2, Int64(count))
        try remove.run()
        let put = try statement(.putPartition)
        for partition in partitions {
            put.bind(1, subscription)
            put.bind(2, Int64(partition.number))
            put.bind(3, partition.owner.map { Int64(clamping: $0) })
            put.bind(4, Int64(clamping: partition.epoch))
            try put.run()
        }
    }
}
