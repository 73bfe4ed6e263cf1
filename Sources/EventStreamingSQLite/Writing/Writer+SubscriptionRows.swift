import EventStreamingCore
import EventStreamingStoreKit

extension Writer {
    // MARK: - Definitions

    /// Creates the subscription and its dead-letter stream, or changes an existing one to this definition.
    func ensureSubscription(_ definition: SubscriptionDefinition, at moment: Moment) throws {
        let stream = try stream(definition.stream)
        try Validation.check(definition, on: stream.type)
        if let known = subscriptions[definition.id] {
            guard known.stream === stream else {
                throw Self.conflict(definition.id, "follows stream '\(known.stream.name)', not '\(stream.name)'")
            }
            let present = known.state.definition
            if let conflict = definition.conflict(withMode: present.mode, partitions: present.partitions) {
                throw Self.conflict(definition.id, conflict)
            }
            guard known.state.definition != definition else { return }
            try arrive(in: stream, at: moment)
            known.state.update(definition)
            return try write(definition, of: known.id)
        }
        try arrive(in: stream, at: moment)
        // First, so that an event that is not there leaves no dead-letter stream behind.
        let position = definition.mode.sharesPosition ? try offset(of: definition.start, in: stream) : stream.first
        let deadLetterStream = try ensureStream(
            StreamDefinition(name: definition.deadLetterStream, type: .persistent),
            changesExisting: false
        )
        let id = try insertSubscription(definition, stream: stream, deadLetterStream: deadLetterStream)
        let state = SubscriptionState(
            definition,
            at: position,
            seed: seed &+ UInt64(bitPattern: id),
            tracksChanges: true,
            floor: &stream.floor
        )
        add(SubscriptionEntry(id: id, stream: stream, deadLetterStream: deadLetterStream, state: state), isNew: true)
        try write(definition, of: id)
    }

    private static func conflict(_ id: SubscriptionID, _ problem: String) -> EventStreamingError {
        EventStreamingError(.subscriptionConflict, "Subscription '\(id)' exists already and \(problem).")
    }

    private func add(_ subscription: SubscriptionEntry, isNew: Bool) {
        subscription.isChanged = isNew
        subscription.stream.subscriptions.append(subscription)
        subscriptions[subscription.state.definition.id] = subscription
    }

    private func insertSubscription(
        _ definition: SubscriptionDefinition,
        stream: StreamEntry,
        deadLetterStream: StreamEntry
    ) throws -> Int64 {
        try begin()
        let insert = try statement(.insertSubscription)
        insert.bind(1, definition.id.rawValue)
        insert.bind(2, stream.id)
        insert.bind(3, deadLetterStream.id)
        insert.bind(4, definition.mode.rawValue)
        defer { insert.reset() }
        guard try insert.step() else { throw Damage(what: "a new subscription got no number") }
        let id = insert.int(0)
        _ = try insert.step()
        return id
    }

    private func write(_ definition: SubscriptionDefinition, of id: Int64) throws {
        try begin()
        let update = try statement(.updateSubscription)
        update.bind(1, id)
        definition.bind(to: update)
        try update.run()
        let remove = try statement(.removeEventTypes)
        remove.bind(1, id)
        try remove.run()
        let add = try statement(.addEventType)
        for type in definition.eventTypes ?? [] {
            add.bind(1, id)
            add.bind(2, type)
            try add.run()
        }
    }

    // MARK: - Loading

    func loadSubscriptions() throws {
        let byID = Dictionary(uniqueKeysWithValues: streams.values.map { ($0.id, $0) })
        let query = try statement(.allSubscriptions)
        defer { query.reset() }
        while try query.step() {
            guard let stream = byID[query.int(2)], let deadLetterStream = byID[query.int(3)] else {
                throw Damage(what: "a subscription follows a stream that is not there")
            }
            let id = query.int(0)
            let definition = try SubscriptionDefinition(query, stream: stream.name, eventTypes: try eventTypes(of: id))
            var records = SubscriptionRecords(
                subscription: SubscriptionRecord(
                    lastKey: UInt64(clamping: query.int(15)),
                    position: query.int(16),
                    next: query.int(17),
                    missed: query.int(18),
                    partitions: Int(clamping: query.int(19))
                ),
                consumers: try consumers(of: id),
                deliveries: try deliveries(of: id),
                partitions: try partitions(of: id)
            )
            signsOfLife[definition.id]?.extend(&records)
            let state = SubscriptionState(
                restoring: records,
                definition: definition,
                seed: seed &+ UInt64(bitPattern: id)
            )
            state.count(in: &stream.floor)
            add(
                SubscriptionEntry(id: id, stream: stream, deadLetterStream: deadLetterStream, state: state),
                isNew: false
            )
        }
    }

    private func eventTypes(of id: Int64) throws -> Set<String> {
        let query = try statement(.eventTypes)
        query.bind(1, id)
        defer { query.reset() }
        var types: Set<String> = []
        while try query.step() {
            types.insert(query.text(0))
        }
        return types
    }

    /// Ends all registrations and leases that the process before this one left: a lease that was not settled counts as an
    /// attempt.
    func endRegistrations(at moment: Moment) throws {
        for subscription in subscriptions.values.sorted(by: { $0.id < $1.id }) {
            // Written down with the first group, even if that only looks: memory may be given up later.
            if subscription.state.consumerInfos.contains(where: \.isConnected) {
                try begin()
            }
            try change(subscription, at: moment) { state, floor, moment, effects in
                state.disconnectAll(because: "the process ended", at: moment, floor: &floor, effects: &effects)
            }
        }
    }

    // MARK: - Writing

    /// Writes what has changed of a subscription.
    func write(_ subscription: SubscriptionEntry) throws {
        let changes = subscription.state.takeChanges(sparesLifeSigns: true)
        let advance = try statement(.advanceSubscription)
        advance.bind(1, subscription.id)
        advance.bind(2, Int64(clamping: changes.subscription.lastKey))
        advance.bind(3, changes.subscription.position)
        advance.bind(4, changes.subscription.next)
        advance.bind(5, changes.subscription.missed)
        advance.bind(6, Int64(changes.subscription.partitions))
        try advance.run()
        try write(changes.partitions, of: subscription.id, count: changes.subscription.partitions)
        for consumer in changes.removedConsumers {
            try remove(consumer, of: subscription.id)
        }
        for consumer in changes.consumers {
            try write(consumer, of: subscription.id)
        }
        for key in changes.removedDeliveries {
            try removeDelivery(key, of: subscription.id)
        }
        for delivery in changes.deliveries {
            try write(delivery, of: subscription.id)
        }
        subscription.isChanged = false
    }
}
