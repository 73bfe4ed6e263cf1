import EventStreamingCore

/// A group as one of its members sees it: which events it may have now.
///
/// Events of a key come one after the other: none is handed out while an earlier one is held by anybody, waits, or is
/// parked. Of a partition that changed hands, nothing is handed out while its old owner holds any event.
struct MemberView: Sendable {
    private let member: UInt64
    private let table: PartitionTable
    private let parked: ParkedKeys
    /// Keys of events that the member holds.
    private var held: Set<PartitionKey> = []
    /// Partitions with events that others hold.
    private var busy: [Bool]
    /// Keys of events that were looked at and cannot be had yet.
    private var blocked: Set<PartitionKey> = []

    init(
        of member: UInt64,
        in table: PartitionTable,
        holding deliveries: some Sequence<Delivery>,
        parked: ParkedKeys = ParkedKeys()
    ) {
        self.member = member
        self.table = table
        self.parked = parked
        busy = Array(repeating: false, count: table.count)
        for delivery in deliveries {
            guard case .leased(let holder, _) = delivery.phase, let keys = delivery.keys else { continue }
            keys.forEach(in: delivery.remaining) { _, key in
                if holder == member {
                    held.insert(key)
                } else {
                    busy[key.partition(of: table.count)] = true
                }
            }
        }
    }

    /// Whether the member has the key's partition, and may get the next event of the key.
    ///
    /// To be asked of events in order of their offsets. Whoever gets the answer `false`, or does not take the event, must
    /// ``block(_:)`` its key.
    func mayHave(_ key: PartitionKey, at offset: Int64) -> Bool {
        let partition = key.partition(of: table.count)
        return table.entries[partition].owner == member && !busy[partition] && !held.contains(key)
            && !blocked.contains(key) && !parked.holdBack(key, at: offset)
    }

    /// Whether the member has the key's partition.
    func owns(_ key: PartitionKey) -> Bool {
        table.entries[key.partition(of: table.count)].owner == member
    }

    mutating func block(_ key: PartitionKey) {
        blocked.insert(key)
    }
}
