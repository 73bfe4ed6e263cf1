package import EventStreamingCore

/// A subscription with its consumers and positions: who has which offsets, how often they were tried, what comes next.
///
/// A value that knows neither events nor databases. A store changes it under a lock of its own, or in a transaction, and
/// keeps it in memory or as rows: with `tracksChanges`, ``takeChanges()`` says which of them have to be written, and
/// ``init(restoring:definition:seed:)`` makes the same value of them again. So all stores decide alike.
///
/// Every operation but ``dequeue(as:limit:at:log:floor:)`` throws before it changes anything.
package struct SubscriptionState: Sendable {
    package private(set) var definition: SubscriptionDefinition
    var desk: Desk
    /// The position of competing consumers; not used where each has its own.
    var shared: Cursor
    var consumers = Roster()
    /// Who has which partition of a consumer group; `nil` in other modes.
    var partitions: PartitionTable?
    /// At or before the moment when the first consumer or lease ends, so that mostly nobody has to look.
    package internal(set) var earliestDeadline = Duration.never
    /// Whether consumers compete for one position.
    package let isShared: Bool
    let tracksChanges: Bool
    /// Up to where all positions have given up what the stream no longer has.
    private var lapped: Int64 = 0
    /// The consumers that came, changed or went since ``takeChanges()``.
    var changedConsumers: Set<ConsumerID> = []
    /// The deliveries of consumers that went since ``takeChanges()``: one of the same name may have come meanwhile.
    var forgottenDeliveries: Set<UInt64> = []

    /// A new subscription without consumers.
    ///
    /// - Parameters:
    ///   - position: Where competing consumers begin.
    ///   - seed: Makes the random part of retry delays repeatable.
    ///   - tracksChanges: Whether ``takeChanges()`` is going to be called.
    package init(
        _ definition: SubscriptionDefinition,
        at position: Int64,
        seed: UInt64,
        tracksChanges: Bool = false,
        floor: inout RetentionFloor
    ) {
        self.definition = definition
        self.tracksChanges = tracksChanges
        desk = Desk(definition, seed: seed)
        shared = Cursor(at: position, tracksChanges: tracksChanges)
        isShared = definition.mode.sharesPosition
        if definition.mode == .consumerGroup {
            partitions = PartitionTable(count: definition.partitions)
        }
        if isShared {
            floor.add(position)
        }
    }

    init(_ definition: SubscriptionDefinition, desk: Desk, shared: Cursor) {
        self.definition = definition
        self.desk = desk
        self.shared = shared
        isShared = definition.mode.sharesPosition
        tracksChanges = true
    }

    /// Takes over a changed definition, but for the number of partitions, which ``repartition(into:at:floor:effects:)``
    /// changes.
    package mutating func update(_ definition: SubscriptionDefinition) {
        let partitions = self.definition.partitions
        self.definition = definition
        self.definition.partitions = partitions
        desk.update(definition)
    }

    mutating func setPartitions(_ count: Int) {
        definition.partitions = count
    }

    /// The epoch of one more registration, greater than all before.
    package mutating func nextEpoch() -> UInt64 { desk.nextKey() }

    mutating func markChanged(_ id: ConsumerID) {
        guard tracksChanges else { return }
        changedConsumers.insert(id)
    }

    // MARK: - Positions

    /// Adds all positions to a floor that counts anew.
    package func count(in floor: inout RetentionFloor) {
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
        markChanged(consumers[place].id)
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
    package mutating func lap(before offset: Int64, floor: inout RetentionFloor) -> OffsetRanges {
        if isShared {
            let old = shared.position
            let unfinished = shared.lap(before: offset)
            floor.move(from: old, to: shared.position)
            return unfinished
        }
        // Nothing is looked for a second time: there may be many consumers, and a store may ask at every call.
        guard lapped < offset else { return OffsetRanges() }
        lapped = offset
        var unfinished = OffsetRanges()
        for place in consumers.indices {
            let old = consumers[place].cursor.position
            unfinished.formUnion(consumers[place].cursor.lap(before: offset))
            guard consumers[place].cursor.position != old else { continue }
            markChanged(consumers[place].id)
            floor.move(from: old, to: consumers[place].cursor.position)
        }
        return unfinished
    }

    /// Notes that a position came or moved there, perhaps before what was given up.
    mutating func noteOwnPosition(_ position: Int64) {
        lapped = min(lapped, position)
    }

    /// Notes that something ends at `deadline`.
    mutating func expect(_ deadline: Duration) {
        earliestDeadline = min(earliestDeadline, deadline)
    }

    // MARK: - Describing

    package var consumerInfos: [ConsumerInfo] {
        consumers.sorted.map { consumer in
            let membership = consumer.membership
            return ConsumerInfo(
                id: consumer.id,
                kind: membership.kind,
                epoch: membership.epoch,
                isConnected: membership.isConnected,
                registeredAt: membership.registeredAt,
                lastSeenAt: membership.lastSeenAt,
                inFlight: (isShared ? shared : consumer.cursor).counts(heldBy: membership.epoch).inFlight,
                partitions: partitions?.partitions(of: membership.epoch) ?? []
            )
        }
    }
}
