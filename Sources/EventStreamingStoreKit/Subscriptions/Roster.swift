import EventStreamingCore

/// A consumer of a subscription.
struct Consumer: Sendable {
    let id: ConsumerID
    var membership: Membership
    /// The consumer's own position; not used where all share one.
    var cursor: Cursor
    /// What was written down of it last.
    private var written: ConsumerRecord?

    init(id: ConsumerID, membership: Membership, cursor: Cursor, written: ConsumerRecord? = nil) {
        self.id = id
        self.membership = membership
        self.cursor = cursor
        self.written = written
    }

    /// What has to be written down of it; `nil` when that says nothing new but a sign of life not much later than the one
    /// written.
    ///
    /// - Parameter lifeSigns: How far the end of the registration must have moved to be worth writing.
    mutating func takeChanges(lifeSignsApart lifeSigns: Duration) -> ConsumerRecord? {
        let record = ConsumerRecord(self)
        if let written, record.differsOnlyInLifeSigns(from: written), record.expiresAt - written.expiresAt < lifeSigns {
            return nil
        }
        written = record
        return record
    }
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
