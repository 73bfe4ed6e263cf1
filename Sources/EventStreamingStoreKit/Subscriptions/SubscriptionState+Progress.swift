package import EventStreamingCore

extension SubscriptionState {
    /// The positions, in order of the consumers' names.
    ///
    /// - Parameters:
    ///   - parkedKeys: The keys with open dead letters; asked for only with ``SubscriptionDefinition/keepsOrder``.
    ///   - deadLetters: How many dead letters of a position are open.
    package func progress(
        head: Int64,
        at moment: Moment,
        parkedKeys: () throws(EventStreamingError) -> ParkedKeys,
        deadLetters: (ConsumerID?) throws(EventStreamingError) -> Int
    ) throws(EventStreamingError) -> [SubscriptionProgress] {
        guard !isShared else {
            let parked = definition.keepsOrder && partitions != nil ? try parkedKeys() : ParkedKeys()
            let deadLetters = try deadLetters(nil)
            return [
                progress(
                    of: shared, consumer: nil, head: head, at: moment, parked: parked, deadLetters: deadLetters)
            ]
        }
        var result: [SubscriptionProgress] = []
        for consumer in consumers.sorted {
            let deadLetters = try deadLetters(consumer.id)
            result.append(
                progress(of: consumer.cursor, consumer: consumer.id, head: head, at: moment, deadLetters: deadLetters)
            )
        }
        return result
    }

    private func progress(
        of cursor: Cursor,
        consumer: ConsumerID?,
        head: Int64,
        at moment: Moment,
        parked: ParkedKeys = ParkedKeys(),
        deadLetters: Int
    ) -> SubscriptionProgress {
        let activity = cursor.activity(at: moment.uptime, parked: parked)
        return SubscriptionProgress(
            subscription: definition.id,
            consumer: consumer,
            position: StreamOffset(cursor.position),
            head: StreamOffset(head),
            inFlight: activity.inFlight,
            waiting: activity.waiting,
            deadLetters: deadLetters,
            missed: Int(clamping: cursor.missed),
            finished: Int(clamping: max(0, cursor.next - Int64(activity.unfinished))),
            delayed: activity.delayed,
            held: activity.held.flatMap { held in
                name(of: held.holder).map { name in
                    HeldEvent(offset: StreamOffset(held.offset), consumer: name, attempt: held.attempt)
                }
            },
            retry: activity.retry.flatMap { due, offset, delivery in
                delivery.failure.map { failure in
                    RetriedEvent(
                        offset: StreamOffset(offset),
                        attempts: delivery.attempts,
                        due: moment.now + (due - moment.uptime),
                        reason: failure.reason,
                        lastFailure: failure.last
                    )
                }
            },
            parkedKeys: parked.count,
            behindParked: activity.behindParked
        )
    }

    /// The consumer of a registration.
    private func name(of epoch: UInt64) -> ConsumerID? {
        consumers.indices.first { consumers[$0].membership.epoch == epoch }.map { consumers[$0].id }
    }
}
