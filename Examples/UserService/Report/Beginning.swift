import EventStreaming

/// How far streams and subscriptions are when the program begins: what an earlier run has left.
struct Beginning: Sendable {
    /// The next offset of each stream.
    let heads: [String: StreamOffset]
    /// Where each subscription goes on, by the lowest of its positions.
    let positions: [String: StreamOffset]

    init(of streaming: EventStreaming) async throws {
        var heads: [String: StreamOffset] = [:]
        var positions: [String: StreamOffset] = [:]
        for (subscription, stream) in Subscriptions.streams {
            heads[stream] = try await streaming.metadata(of: stream).head
            positions[subscription] = try await streaming.progress(of: subscription).map(\.position).min()
        }
        self.heads = heads
        self.positions = positions
    }
}

/// Says where events are kept, and what is there already.
struct BeginningEntry: ConsoleEntry {
    private let kind = "beginning"
    private let storage: String
    private let charged: String
    private let heads: [String: Int64]
    private let positions: [String: Int64]

    init(_ storage: Storage, _ beginning: Beginning) {
        self.storage = storage.description
        charged = storage.charges.promise
        heads = beginning.heads.mapValues(\.rawValue)
        positions = beginning.positions.mapValues(\.rawValue)
    }

    var text: String {
        var lines = ["Events are kept in: \(storage)", "Seats are charged: \(charged)"]
        if heads.values.allSatisfy({ $0 == 0 }) {
            lines.append("Nothing is there yet.")
        } else {
            lines.append("This continues an earlier run.")
            lines += heads.sorted { $0.key < $1.key }.map { "  \($0.key) goes on at offset \($0.value)" }
            lines += positions.sorted { $0.key < $1.key }.map { "  \($0.key) goes on at offset \($0.value)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private enum CodingKeys: CodingKey {
        case kind, storage, charged, heads, positions
    }
}
