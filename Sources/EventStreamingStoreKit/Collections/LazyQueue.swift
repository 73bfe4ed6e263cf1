import HeapModule

/// A priority queue of keys that never searches for an entry.
///
/// Keys leave and their ranks grow without the queue being told; an entry is checked only when it comes to the top.
/// So a change costs nothing here, and what is out of date is bounded by ``compact(live:rank:)``.
///
/// A key's present rank must never be lower than the one it was inserted with; a key whose rank gets lower is inserted
/// again.
struct LazyQueue<Rank: Comparable & Sendable>: Sendable {
    struct Entry: Comparable, Sendable {
        let rank: Rank
        let key: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            left.rank == right.rank ? left.key < right.key : left.rank < right.rank
        }
    }

    private var heap = Heap<Entry>()

    /// Whether there is no entry at all, not even one out of date.
    var isEmpty: Bool { heap.isEmpty }

    mutating func insert(_ key: UInt64, rank: Rank) {
        heap.insert(Entry(rank: rank, key: key))
    }

    /// The key with the lowest rank.
    ///
    /// - Parameter rank: The present rank of a key; `nil` when the key is gone.
    mutating func first(rank: (UInt64) -> Rank?) -> Entry? {
        while let entry = heap.min {
            guard let present = rank(entry.key) else {
                heap.removeMin()
                continue
            }
            guard entry.rank < present else { return entry }
            heap.replaceMin(with: Entry(rank: present, key: entry.key))
        }
        return nil
    }

    /// Every key inserted, also those that are gone; a key may be there several times.
    var keys: [UInt64] { heap.unordered.map(\.key) }

    /// Forgets entries out of date when they are more than half of all, so that they cost nothing in the long run.
    ///
    /// - Parameter live: At least the number of keys that are not gone.
    mutating func compact(live: Int, rank: (UInt64) -> Rank?) {
        guard heap.count > 2 * live + 64 else { return }
        var seen: Set<UInt64> = []
        heap = Heap(
            heap.unordered.compactMap { entry in
                guard seen.insert(entry.key).inserted, let present = rank(entry.key) else { return nil }
                return Entry(rank: present, key: entry.key)
            }
        )
    }
}
