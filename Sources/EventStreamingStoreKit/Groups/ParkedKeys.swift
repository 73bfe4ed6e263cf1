package import EventStreamingCore

/// The partition keys that have an open dead letter, where later events of the key wait for it.
package struct ParkedKeys: Sendable {
    /// The lowest offset of a dead letter, by key.
    private var lowest: [PartitionKey: Int64] = [:]

    package init() {}

    package var count: Int { lowest.count }
    var isEmpty: Bool { lowest.isEmpty }

    /// Notes an open dead letter.
    package mutating func add(_ key: PartitionKey, at offset: Int64) {
        lowest[key] = min(lowest[key] ?? offset, offset)
    }

    /// Notes what is given up at this very moment.
    package mutating func add(_ givenUp: [GivenUp]) {
        for event in givenUp {
            if let key = event.key {
                add(key, at: event.offset)
            }
        }
    }

    /// Whether an event has to wait.
    func holdBack(_ key: PartitionKey, at offset: Int64) -> Bool {
        lowest[key].map { $0 < offset } ?? false
    }
}
