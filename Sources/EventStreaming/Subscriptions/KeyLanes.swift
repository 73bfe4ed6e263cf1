import EventStreamingCore

/// The events of a lease to a member of a consumer group, by their partition keys: those of one key are handed out one
/// after the other, those of different keys at the same time.
struct KeyLanes: Sendable {
    private let keys: [PartitionKey]
    /// The events that were not handed out, in order.
    private(set) var waiting: [Int]
    /// The keys of events that were handed out and are not settled, with how many there are.
    private var busy: [PartitionKey: Int] = [:]

    init(_ events: [StoredEvent]) {
        keys = events.map { PartitionKey(of: $0) }
        waiting = Array(events.indices)
    }

    /// Takes up to `limit` events that lie next to each other and whose turn it is; none when every key is busy.
    mutating func take(_ limit: Int) -> Range<Int> {
        guard let place = waiting.firstIndex(where: { busy[keys[$0]] == nil }) else { return 0..<0 }
        let first = waiting[place]
        var end = place + 1
        while end < waiting.count, end - place < limit, waiting[end] == first + (end - place),
            busy[keys[waiting[end]]] == nil
        {
            end += 1
        }
        let taken = first..<first + (end - place)
        waiting.removeSubrange(place..<end)
        for index in taken {
            busy[keys[index], default: 0] += 1
        }
        return taken
    }

    /// Notes that an event that was handed out is settled.
    mutating func finish(_ index: Int) {
        guard let count = busy[keys[index]] else { return }
        busy[keys[index]] = count > 1 ? count - 1 : nil
    }

    /// Takes out an event that is not to be handed out, if it was not.
    mutating func remove(_ index: Int) {
        waiting.removeAll { $0 == index }
    }

    /// The events after one, with the same key.
    func behind(_ index: Int) -> [Int] {
        keys.indices.filter { $0 > index && keys[$0] == keys[index] }
    }
}
