import EventStreamingCore
import Synchronization

/// Finds things by name, from many tasks at once. Spread over several locks, so that callers rarely meet.
final class Directory<Key: TextIdentifier, Value: Sendable>: Sendable {
    private final class Shard: Sendable {
        let entries = Mutex<[Key: Value]>([:])
    }

    /// A power of two.
    private static var shardCount: Int { 16 }

    private let shards: [Shard]

    init() {
        shards = (0..<Self.shardCount).map { _ in Shard() }
    }

    /// Every value, in no order. Values added meanwhile may be missing.
    var values: [Value] {
        shards.flatMap { shard in shard.entries.withLock { Array($0.values) } }
    }

    subscript(key: Key) -> Value? {
        shard(of: key).entries.withLock { $0[key] }
    }

    /// Calls `body` with the entry for `key`, which it may set. Nobody else sees or sets the entry meanwhile.
    func withEntry<Result: Sendable, Failure: Error>(
        for key: Key,
        _ body: (inout Value?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try shard(of: key).entries.withLock { (entries) throws(Failure) in
            try body(&entries[key])
        }
    }

    private func shard(of key: Key) -> Shard {
        // The length and the last byte tell names from their likes well enough; hashing all of a name here, and again
        // in the dictionary, would cost more than the lock.
        let name = key.rawValue.utf8
        let spread = name.count &* 31 &+ Int(name.last ?? 0)
        return shards[(spread ^ spread >> 5) & (Self.shardCount - 1)]
    }
}
