import EventStreaming

/// Who has which partitions of the analytics group, in all processes.
struct OwnersEntry: Equatable, ConsoleEntry {
    private let kind = "owners"
    let owners: [String: [Int]]

    init(_ partitions: [PartitionInfo]) {
        owners = Dictionary(grouping: partitions) { $0.owner?.rawValue ?? "nobody" }.mapValues { $0.map(\.number) }
    }

    var text: String {
        "\(Subscriptions.analytics): "
            + owners.sorted { $0.key < $1.key }.map { "\($0.key) has \($0.value.asRanges)" }.joined(separator: "; ")
    }

    private enum CodingKeys: CodingKey {
        case kind, owners
    }
}
