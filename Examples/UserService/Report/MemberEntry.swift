import EventStreaming

/// What a member of the analytics group has, and what it has done in this process.
struct MemberEntry: Equatable, ConsoleEntry {
    var kind = "member"
    let member: String
    let partitions: [Int]
    let events: Int

    var text: String {
        "  \(member): \(events) events; \(partitions.count) partitions: \(partitions.asRanges)"
    }
}

extension MemberEntry {
    /// The members that have partitions, and those that have handled events.
    static func all(_ partitions: [PartitionInfo], _ tally: Tally) -> [MemberEntry] {
        let owned = OwnersEntry(partitions).owners
        return Set(owned.keys).union(tally.shares.keys).sorted().map { name in
            MemberEntry(member: name, partitions: owned[name] ?? [], events: tally.shares[name] ?? 0)
        }
    }
}

extension [Int] {
    /// Ascending numbers in short: `0–3, 7, 9–10`.
    var asRanges: String {
        var ranges: [ClosedRange<Int>] = []
        for number in self {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }
            .joined(separator: ", ")
    }
}
