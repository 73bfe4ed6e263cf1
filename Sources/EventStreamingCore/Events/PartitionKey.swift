/// The hash of what keeps events in order in a consumer group: the event's partition key, or else its workflow's id, or
/// else, for an event outside any workflow, its own id.
///
/// Written down with leases, so it never changes: FNV-1a of the key's UTF-8 bytes with 64 bits, both halves combined by
/// exclusive or, as its authors recommend for shorter hashes
/// ([draft-eastlake-fnv](https://datatracker.ietf.org/doc/draft-eastlake-fnv/), section 2.3 and 3).
public struct PartitionKey: Sendable, Hashable {
    /// The name of the header that holds an event's ``Event/partitionKey``.
    public static let header = "partition-key"
    /// The name of the hash, as recorded with a subscription.
    public static let algorithm = "fnv1a-64-folded"

    /// The hash.
    public let hash: UInt32

    /// Takes `hash` as the hash.
    public init(hash: UInt32) {
        self.hash = hash
    }

    /// The key of a stored event.
    public init(of event: StoredEvent) {
        self.init(
            header: event.headers.isEmpty ? nil : event.headers[Self.header],
            correlationID: event.correlationID?.rawValue,
            id: event.id
        )
    }

    /// The key of an event of which only these parts are known.
    ///
    /// - Parameters:
    ///   - header: The event's header ``header``.
    ///   - correlationID: The id of its workflow.
    ///   - id: Its own id.
    public init(header: String?, correlationID: String?, id: MessageID) {
        var hasher = Hasher()
        if let key = header ?? correlationID {
            var key = key
            key.withUTF8 { hasher.add($0) }
        } else {
            hasher.add(id)
        }
        hash = hasher.folded
    }

    /// The partition of `count`, which is at least 1; 0 for fewer.
    public func partition(of count: Int) -> Int {
        count > 1 ? Int(UInt64(hash) % UInt64(count)) : 0
    }

    private struct Hasher {
        private var state: UInt64 = 0xcbf2_9ce4_8422_2325

        var folded: UInt32 { UInt32(truncatingIfNeeded: state ^ state >> 32) }

        mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
            for byte in bytes {
                add(byte)
            }
        }

        mutating func add(_ id: MessageID) {
            for part in [id.high, id.low] {
                for shift in stride(from: 56, through: 0, by: -8) {
                    add(UInt8(truncatingIfNeeded: part >> UInt64(shift)))
                }
            }
        }

        private mutating func add(_ byte: UInt8) {
            state = (state ^ UInt64(byte)) &* 0x100_0000_01b3
        }
    }
}
