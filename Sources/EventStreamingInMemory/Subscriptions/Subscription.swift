import EventStreamingCore

/// A subscription with its consumers and positions. Part of its stream's state, under the same lock.
struct Subscription: Sendable {
    private(set) var definition: SubscriptionDefinition
    let deadLetters: DeadLetterBox
    var desk: Desk
    /// The position of competing consumers; not used where each has its own.
    var shared: Cursor
    var consumers = Roster()
    /// At or before the moment when the first consumer or lease ends, so that mostly nobody has to look.
    var earliestDeadline = Duration.never
    /// Whether consumers compete for one position.
    let isShared: Bool

    init(
        _ definition: SubscriptionDefinition,
        at position: Int64,
        deadLetters: DeadLetterBox,
        seed: UInt64,
        floor: inout RetentionFloor
    ) {
        self.definition = definition
        self.deadLetters = deadLetters
        desk = Desk(definition, seed: seed)
        shared = Cursor(at: position)
        isShared = definition.mode == .exclusive
        if isShared {
            floor.add(position)
        }
    }

    mutating func update(_ definition: SubscriptionDefinition) {
        self.definition = definition
        desk.update(definition)
    }

    // MARK: - Positions

    /// Adds all positions to a floor that counts anew.
    func count(in floor: inout RetentionFloor) {
        if isShared {
            floor.add(shared.position)
        } else {
            for place in consumers.indices {
                floor.add(consumers[place].cursor.position)
            }
        }
    }

    /// Calls `body` with the position a consumer reads from, and notes where the position goes.
    mutating func withCursor<Result, Failure: Error>(
        at place: Int,
        floor: inout RetentionFloor,
        _ body: (inout Cursor, inout Membership, inout Desk) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if isShared {
            let old = shared.position
            defer { floor.move(from: old, to: shared.position) }
            return try body(&shared, &consumers[place].membership, &desk)
        }
        return try Self.withOwnCursor(of: &consumers[place], &desk, &floor, body)
    }

    private static func withOwnCursor<Result, Failure: Error>(
        of consumer: inout Consumer,
        _ desk: inout Desk,
        _ floor: inout RetentionFloor,
        _ body: (inout Cursor, inout Membership, inout Desk) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let old = consumer.cursor.position
        defer { floor.move(from: old, to: consumer.cursor.position) }
        return try body(&consumer.cursor, &consumer.membership, &desk)
    }

    /// Gives up everything before `offset` at all positions.
    ///
    /// - Returns: The offsets that some position had not finished.
    mutating func lap(before offset: Int64, floor: inout RetentionFloor) -> OffsetRanges {
        if isShared {
            let old = shared.position
            let unfinished = shared.lap(before: offset)
            floor.move(from: old, to: shared.position)
            return unfinished
        }
        var unfinished = OffsetRanges()
        for place in consumers.indices {
            let old = consumers[place].cursor.position
            unfinished.formUnion(consumers[place].cursor.lap(before: offset))
            floor.move(from: old, to: consumers[place].cursor.position)
        }
        return unfinished
    }

    /// Notes that something ends at `deadline`.
    mutating func expect(_ deadline: Duration) {
        earliestDeadline = min(earliestDeadline, deadline)
    }

    // MARK: - Describing

    var consumerInfos: [ConsumerInfo] {
        consumers.sorted.map { consumer in
            let membership = consumer.membership
            return ConsumerInfo(
                id: consumer.id,
                kind: membership.kind,
                epoch: membership.epoch,
                isConnected: membership.isConnected,
                registeredAt: membership.registeredAt,
                lastSeenAt: membership.lastSeenAt,
                inFlight: (isShared ? shared : consumer.cursor).counts(heldBy: membership.epoch).inFlight
            )
        }
    }

    func progress(head: Int64) -> [SubscriptionProgress] {
        guard !isShared else { return [progress(of: shared, consumer: nil, head: head)] }
        return consumers.sorted.map { progress(of: $0.cursor, consumer: $0.id, head: head) }
    }

    private func progress(of cursor: Cursor, consumer: ConsumerID?, head: Int64) -> SubscriptionProgress {
        let counts = cursor.counts()
        return SubscriptionProgress(
            subscription: definition.id,
            consumer: consumer,
            position: StreamOffset(cursor.position),
            head: StreamOffset(head),
            inFlight: counts.inFlight,
            waiting: counts.waiting,
            deadLetters: deadLetters.openCount(of: consumer)
        )
    }
}
