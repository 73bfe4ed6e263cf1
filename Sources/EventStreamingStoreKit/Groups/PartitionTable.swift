/// Which member of a consumer group has which partition.
///
/// Sticky: who has a partition keeps it, as long as that leaves nobody with two less than another. So when a member comes,
/// only what becomes its own changes hands, and when one goes, only what was its own.
struct PartitionTable: Sendable {
    struct Entry: Sendable, Hashable {
        /// The epoch of the owner's registration; `nil` while the group has no members.
        var owner: UInt64?
        /// Grows with every change of the owner.
        var epoch: UInt64 = 0
    }

    private(set) var entries: [Entry]
    private var changed: Set<Int> = []

    /// Partitions without owners.
    ///
    /// - Parameter epoch: The epoch of all of them.
    init(count: Int, epoch: UInt64 = 0) {
        entries = Array(repeating: Entry(epoch: epoch), count: max(1, count))
        changed = Set(entries.indices)
    }

    /// The partitions as they were written down; those that are missing have no owner.
    init(count: Int, restoring records: [PartitionRecord]) {
        self.init(count: count)
        for record in records where entries.indices.contains(record.number) {
            entries[record.number] = Entry(owner: record.owner, epoch: record.epoch)
            changed.remove(record.number)
        }
    }

    var count: Int { entries.count }

    /// The greatest epoch.
    var lastEpoch: UInt64 { entries.reduce(0) { max($0, $1.epoch) } }

    /// The partitions of a member, in order.
    func partitions(of owner: UInt64) -> [Int] {
        entries.indices.filter { entries[$0].owner == owner }
    }

    /// What changed since the last call.
    mutating func takeChanges() -> [PartitionRecord] {
        guard !changed.isEmpty else { return [] }
        defer { changed = [] }
        return changed.sorted().map { number in
            PartitionRecord(number: number, owner: entries[number].owner, epoch: entries[number].epoch)
        }
    }

    private mutating func give(_ number: Int, to owner: UInt64?) {
        guard entries[number].owner != owner else { return }
        entries[number].owner = owner
        entries[number].epoch += 1
        changed.insert(number)
    }

    /// Gives all that one registration has to the one that took over from it.
    mutating func hand(from old: UInt64, to new: UInt64) {
        for number in entries.indices where entries[number].owner == old {
            give(number, to: new)
        }
    }

    /// Shares the partitions out among the members.
    ///
    /// - Parameter members: The epochs of their registrations, in order.
    /// - Returns: Whether anything changed.
    mutating func share(among members: [UInt64]) -> Bool {
        var held = Dictionary(members.map { ($0, 0) }) { first, _ in first }
        for entry in entries {
            if let owner = entry.owner, let count = held[owner] {
                held[owner] = count + 1
            }
        }
        let quotas = self.quotas(of: members, holding: held)
        var kept: [UInt64: Int] = [:]
        var free: [Int] = []
        for number in entries.indices {
            if let owner = entries[number].owner, kept[owner, default: 0] < quotas[owner, default: 0] {
                kept[owner, default: 0] += 1
            } else {
                free.append(number)
            }
        }
        let isChanged = free.contains { !members.isEmpty || entries[$0].owner != nil }
        var takers = members[...]
        for number in free {
            while let taker = takers.first, kept[taker, default: 0] >= quotas[taker, default: 0] {
                takers.removeFirst()
            }
            give(number, to: takers.first)
            if let taker = takers.first {
                kept[taker, default: 0] += 1
            }
        }
        return isChanged
    }

    /// How many partitions each member gets. Where they cannot have the same, those have one more who have the most now.
    private func quotas(of members: [UInt64], holding held: [UInt64: Int]) -> [UInt64: Int] {
        guard !members.isEmpty else { return [:] }
        let (each, rest) = count.quotientAndRemainder(dividingBy: members.count)
        let order = members.sorted { left, right in
            let (mine, others) = (held[left, default: 0], held[right, default: 0])
            return mine == others ? left < right : mine > others
        }
        var quotas: [UInt64: Int] = [:]
        for (index, member) in order.enumerated() {
            quotas[member] = index < rest ? each + 1 : each
        }
        return quotas
    }
}
