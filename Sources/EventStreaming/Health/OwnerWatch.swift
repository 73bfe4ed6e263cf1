import EventStreamingCore

/// Counts how often the consumers of a subscription, or the owners of its partitions, change.
struct OwnerWatch: Sendable {
    private var consumers: [ConsumerID: ConsumerInfo] = [:]
    private var epochs: [Int: UInt64] = [:]
    private var isFirst = true

    /// The changes since the last call; none in the first.
    ///
    /// In a group, every time a partition got another owner or its owner another registration; elsewhere, every consumer
    /// that came, came back or went.
    mutating func countChanges(in snapshot: SubscriptionSnapshot) -> Int {
        let present = Dictionary(snapshot.consumers.map { ($0.id, $0) }) { first, _ in first }
        let partitions = Dictionary(snapshot.partitions.map { ($0.number, $0.epoch) }) { first, _ in first }
        defer {
            consumers = present
            epochs = partitions
            isFirst = false
        }
        guard !isFirst else { return 0 }
        guard partitions.isEmpty else {
            return partitions.reduce(0) { count, partition in
                let before = epochs[partition.key] ?? partition.value
                return count + Int(clamping: partition.value > before ? partition.value - before : 0)
            }
        }
        let gone = consumers.values.count { $0.isConnected && present[$0.id]?.isConnected != true }
        let come = present.values.count { $0.isConnected && consumers[$0.id].map { !$0.isConnected } ?? true }
        let replaced = present.values.count { new in
            new.isConnected && consumers[new.id].map { $0.isConnected && $0.epoch != new.epoch } ?? false
        }
        return gone + come + replaced
    }
}
