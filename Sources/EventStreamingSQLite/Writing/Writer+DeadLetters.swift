import EventStreamingCore
import EventStreamingStoreKit

extension Writer {
    /// Puts events into the dead-letter stream. They are taken even when it is full, unless it makes room by dropping
    /// the oldest.
    func bury(_ givenUp: [GivenUp], of subscription: SubscriptionEntry, at moment: Moment) throws {
        guard !givenUp.isEmpty else { return }
        var letters: [DeadLetter] = []
        for event in givenUp {
            let offsets = event.offset..<event.offset + 1
            guard let stored = try event.redriven ?? keptEvents(in: offsets, of: subscription.stream).first else {
                continue
            }
            letters.append(event.deadLetter(stored, of: subscription.state.definition))
        }
        guard !letters.isEmpty else { return }
        let stream = subscription.deadLetterStream
        let first = stream.head
        guard try insert(letters.records(at: moment.now), into: stream, at: moment.now) else {
            throw Damage(what: "an index")
        }
        let add = try statement(.addDeadLetter)
        for (index, letter) in letters.enumerated() {
            add.bind(1, stream.id)
            add.bind(2, first + Int64(index))
            add.bind(3, letter.consumer?.rawValue)
            let isKeyed = subscription.state.definition.mode == .consumerGroup
            add.bind(4, isKeyed ? Int64(PartitionKey(of: letter.event).hash) : nil)
            add.bind(5, isKeyed ? letter.event.offset.rawValue : nil)
            try add.run()
        }
        changedStreams.insert(stream.name)
        try dropSurplus(of: stream)
        try trimFinished(stream)
    }

    /// What has happened already must not look like a refusal of what was asked for.
    func keptEvents(in offsets: Range<Int64>, of stream: StreamEntry) throws -> [StoredEvent] {
        guard stream.first <= offsets.lowerBound else { return [] }
        do {
            return try events(in: offsets, of: stream)
        } catch let error as EventStreamingError {
            throw Damage(what: error.message)
        }
    }

    /// The open dead letters with numbers in a range, in order.
    func openDeadLetters(
        of subscription: SubscriptionEntry,
        in numbers: Range<Int64>,
        limit: Int = .max
    ) throws -> [DeadLetter] {
        let stream = subscription.deadLetterStream
        let query = try statement(.openDeadLetters)
        query.bind(1, stream.id)
        query.bind(2, numbers.lowerBound)
        query.bind(3, numbers.upperBound)
        query.bind(4, Int64(limit))
        var open: [Int64] = []
        do {
            defer { query.reset() }
            while try query.step() {
                open.append(query.int(0))
            }
        }
        return try open.compactMap { number in
            try events(in: number..<number + 1, of: stream).first.flatMap { DeadLetter(record: $0) }
        }
    }

    func countDeadLetters(of subscription: SubscriptionEntry, consumer: ConsumerID?) throws -> Int {
        let query = try statement(.countDeadLetters)
        query.bind(1, subscription.deadLetterStream.id)
        query.bind(2, consumer?.rawValue)
        defer { query.reset() }
        return try query.step() ? Int(query.int(0)) : 0
    }

    // MARK: - Closing

    /// The open dead letters that can be delivered again.
    func redrivable(_ numbers: [Range<Int64>], of subscription: SubscriptionEntry) throws -> [DeadLetter] {
        try numbers.flatMap { try openDeadLetters(of: subscription, in: $0) }
            .filter { subscription.state.canRedrive($0) }
    }

    /// Delivers open dead letters again that can be.
    func redrive(
        _ numbers: [Range<Int64>],
        of subscription: SubscriptionEntry,
        by note: AuditNote,
        at moment: Moment
    ) throws -> [StreamOffset] {
        // Before anything changes: what cannot be read is a refusal.
        let letters = try redrivable(numbers, of: subscription)
        return try change(subscription, at: moment) { state, _, moment, effects in
            for letter in letters {
                try close(letter, of: subscription, by: .redriven, note, at: moment)
                state.redrive(letter, at: moment, effects: &effects)
                _ = try forgetProcessed([letter.event.id], by: state.definition.processor(of: letter.consumer))
            }
            return letters.map(\.number)
        }
    }

    /// Gives open dead letters up for good.
    func discard(
        _ numbers: [Range<Int64>],
        of subscription: SubscriptionEntry,
        by note: AuditNote,
        at moment: Moment
    ) throws -> [StreamOffset] {
        let letters = try numbers.flatMap { try openDeadLetters(of: subscription, in: $0) }
        return try change(subscription, at: moment) { state, _, moment, effects in
            for letter in letters {
                try close(letter, of: subscription, by: .discarded, note, at: moment)
            }
            state.noteDiscarded(effects: &effects)
            return letters.map(\.number)
        }
    }

    /// Takes a dead letter out of the open ones, and writes down who did it.
    private func close(
        _ letter: DeadLetter,
        of subscription: SubscriptionEntry,
        by action: DeadLetterAuditEntry.Action,
        _ note: AuditNote,
        at moment: Moment
    ) throws {
        try begin()
        let remove = try statement(.removeDeadLetter)
        remove.bind(1, subscription.deadLetterStream.id)
        remove.bind(2, letter.number.rawValue)
        try remove.run()
        let add = try statement(.addAuditEntry)
        add.bind(1, subscription.id)
        add.bind(2, action.rawValue)
        add.bind(3, letter.number.rawValue)
        letter.event.id.withBytes { add.bind(4, copied: $0) }
        add.bind(5, letter.consumer?.rawValue)
        add.bind(6, note.actor)
        add.bind(7, note.reason)
        add.bind(8, moment.now.nanosecondsSinceEpoch)
        try add.run()
    }

    // MARK: - Keys

    /// The partition keys of the open dead letters, where others wait behind them.
    func parkedKeys(of subscription: SubscriptionEntry) throws -> ParkedKeys {
        guard subscription.state.definition.keepsOrder else { return ParkedKeys() }
        let query = try statement(.parkedKeys)
        query.bind(1, subscription.deadLetterStream.id)
        defer { query.reset() }
        var parked = ParkedKeys()
        while try query.step() {
            parked.add(PartitionKey(hash: UInt32(clamping: query.int(0))), at: query.int(1))
        }
        return parked
    }

    // MARK: - Audit

    /// A page of the audit of a subscription.
    func auditEntries(
        of subscription: SubscriptionEntry,
        from number: Int64,
        limit: Int
    ) throws -> [DeadLetterAuditEntry] {
        let query = try statement(.auditEntries)
        query.bind(1, subscription.id)
        query.bind(2, number)
        query.bind(3, Int64(limit))
        defer { query.reset() }
        var entries: [DeadLetterAuditEntry] = []
        while try query.step() {
            let consumer = query.optionalText(4).map { try? ConsumerID($0) }
            guard let action = DeadLetterAuditEntry.Action(rawValue: query.text(1)), consumer != .some(nil) else {
                throw Damage(what: "an entry of the audit says what this library never writes")
            }
            entries.append(
                DeadLetterAuditEntry(
                    number: query.int(0),
                    action: action,
                    deadLetter: StreamOffset(query.int(2)),
                    event: try MessageID(query.bytes(3)),
                    subscription: subscription.state.definition.id,
                    consumer: consumer ?? nil,
                    note: AuditNote(by: query.text(5), because: query.text(6)),
                    time: Timestamp(nanosecondsSinceEpoch: query.int(7))
                )
            )
        }
        return entries
    }
}
