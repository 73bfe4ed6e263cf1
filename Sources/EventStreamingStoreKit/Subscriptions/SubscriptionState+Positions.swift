package import EventStreamingCore

extension SubscriptionState {
    /// The positions, as ``ConsumerOffsetStore/positions(of:)`` says.
    package var positions: [ConsumerPosition] {
        guard !isShared else { return [position(of: nil, shared, epoch: newestEpoch)] }
        return consumers.sorted.map { position(of: $0.id, $0.cursor, epoch: $0.membership.epoch) }
    }

    /// Whether a consumer that registers gets a position of its own that it does not have yet.
    package func needsPosition(for consumer: ConsumerID) -> Bool {
        !isShared && consumers.place(of: consumer) == nil
    }

    private func position(of consumer: ConsumerID?, _ cursor: Cursor, epoch: UInt64) -> ConsumerPosition {
        ConsumerPosition(consumer: consumer, offset: StreamOffset(cursor.position), epoch: epoch)
    }

    private var newestEpoch: UInt64 {
        consumers.indices.reduce(0) { max($0, consumers[$1].membership.epoch) }
    }

    /// Moves a position, as ``ConsumerOffsetStore/setOffset(_:of:in:epoch:)`` says. Throws before it changes anything.
    ///
    /// - Parameter offset: Where to; within what the stream has.
    package mutating func setPosition(
        of consumer: ConsumerID?,
        to offset: Int64,
        epoch: UInt64,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) throws(EventStreamingError) {
        if isShared {
            guard consumer == nil else { throw .unknownPosition(of: consumer, in: definition.id) }
            try check(epoch, against: newestEpoch)
            floor.remove(shared.position)
            shared.reset(to: offset)
            floor.add(shared.position)
        } else {
            guard let place = consumer.flatMap({ consumers.place(of: $0) }) else {
                throw .unknownPosition(of: consumer, in: definition.id)
            }
            try check(epoch, against: consumers[place].membership.epoch)
            floor.remove(consumers[place].cursor.position)
            consumers[place].cursor.reset(to: offset)
            noteOwnPosition(offset)
            floor.add(consumers[place].cursor.position)
            markChanged(consumers[place].id)
        }
        effects.hasNews = true
    }

    private func check(_ epoch: UInt64, against newest: UInt64) throws(EventStreamingError) {
        guard epoch >= newest else {
            throw EventStreamingError(
                .consumerReplaced,
                "A consumer of subscription '\(definition.id)' registered since epoch \(epoch); look at the position again."
            )
        }
    }
}

extension Cursor {
    /// Begins anew at `offset`. What returns from the dead letters is not touched.
    fileprivate mutating func reset(to offset: Int64) {
        for (key, delivery) in deliveries where delivery.redriven == nil {
            remove(key)
        }
        restart(at: offset)
    }
}
