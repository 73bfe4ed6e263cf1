import EventStreamingCore

/// A consumer of a subscription.
struct Consumer: Sendable {
    let id: ConsumerID
    var membership: Membership
    /// The consumer's own position; not used where all share one.
    var cursor: Cursor
}

/// The consumers of a subscription, by name and by place. Places are good until the next removal.
struct Roster: Sendable {
    private var places: [ConsumerID: Int] = [:]
    private var consumers: [Consumer] = []

    var indices: Range<Int> { consumers.indices }

    /// In order of their names.
    var sorted: [Consumer] { consumers.sorted { $0.id < $1.id } }

    func place(of id: ConsumerID) -> Int? { places[id] }

    subscript(place: Int) -> Consumer {
        // Not `_read`: unoptimised, Swift 6.3.1 destroys what a property of the yielded value was read from after the
        // accessor has ended.
        get { consumers[place] }
        _modify { yield &consumers[place] }
    }

    mutating func add(_ consumer: Consumer) {
        places[consumer.id] = consumers.count
        consumers.append(consumer)
    }

    @discardableResult
    mutating func remove(_ id: ConsumerID) -> Consumer? {
        guard let place = places.removeValue(forKey: id) else { return nil }
        // The last one moves to the free place.
        let removed = consumers[place]
        let last = consumers.removeLast()
        if last.id != id {
            consumers[place] = last
            places[last.id] = place
        }
        return removed
    }
}
