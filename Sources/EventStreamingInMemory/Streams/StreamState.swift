import EventStreamingCore
import EventStreamingStoreKit

/// Everything about one stream, changed only under the stream's lock: a value whose methods neither wait nor call
/// anybody, and leave what has to be done outside the lock in the effects.
struct StreamState: Sendable {
    let name: StreamName
    let type: StreamType
    var capacity: Int?
    var overflow: OverflowPolicy
    var retention: RetentionPolicy
    var log = EventLog()
    var ids = EventIDIndex()
    var dropped = 0
    /// Never gets shorter: the place of a subscription is good for ever.
    var subscriptions: [Subscription] = []
    var floor = RetentionFloor()
    /// Where dead letters for this stream arrive.
    let deadLetters: DeadLetterBox
    /// At or before the moment when the first consumer or lease ends.
    private var earliestDeadline = Duration.never
    /// Time as the stream saw it last. Calls read the clock before they get the lock, so they may come out of order.
    private var uptime = Duration.zero
    /// Those who expired since somebody asked.
    private var expired: [ConsumerRegistration] = []

    init(_ definition: StreamDefinition, deadLetters: DeadLetterBox) {
        name = definition.name
        type = definition.type
        capacity = definition.capacity
        overflow = definition.overflow
        retention = definition.retention
        self.deadLetters = deadLetters
    }

    var metadata: StreamMetadata {
        StreamMetadata(
            name: name,
            type: type,
            first: StreamOffset(log.first),
            head: StreamOffset(log.head),
            dropped: dropped,
            bytes: max(0, log.bytes),
            oldest: log.oldest,
            retention: retention
        )
    }

    /// Where reading from a position would begin now.
    func offset(of position: StartPosition) throws(EventStreamingError) -> Int64 {
        switch position {
        case .beginning: return log.first
        case .latest: return log.head
        case .offset(let offset): return min(max(offset.rawValue, log.first), log.head)
        case .timestamp(let time): return log.offset(at: time)
        case .event(let id):
            guard let offset = ids.offset(of: id) else { throw .unknownEvent(id, in: name) }
            return offset
        }
    }

    // MARK: - Time

    /// Brings the state up to the moment of a call: takes in dead letters that arrived, and ends what ran out.
    ///
    /// - Returns: The moment, never before that of an earlier call.
    mutating func arrive(at moment: Moment, effects: inout Effects) -> Moment {
        if deadLetters.isWaiting {
            collectDeadLetters(effects: &effects)
        }
        uptime = max(uptime, moment.uptime)
        let moment = Moment(now: moment.now, uptime: uptime)
        if earliestDeadline <= uptime {
            expire(at: moment, effects: &effects)
        }
        return moment
    }

    private mutating func expire(at moment: Moment, effects: inout Effects) {
        var earliest = Duration.never
        for index in subscriptions.indices {
            var changes = SubscriptionEffects()
            subscriptions[index].state.expire(at: moment, floor: &floor, effects: &changes)
            apply(changes, of: index, at: moment, effects: &effects)
            earliest = min(earliest, subscriptions[index].state.earliestDeadline)
        }
        earliestDeadline = earliest
        if expired.count > Limits.rememberedExpirations {
            expired.removeFirst(expired.count - Limits.rememberedExpirations)
        }
        trimFinished(effects: &effects)
    }

    /// Those who expired since the last call of this.
    mutating func takeExpired() -> [ConsumerRegistration] {
        defer { expired = [] }
        return expired
    }

    // MARK: - Subscriptions

    /// Creates a subscription.
    ///
    /// - Parameter position: Where competing consumers begin; kept within what the stream has.
    /// - Returns: Its place.
    mutating func addSubscription(
        _ definition: SubscriptionDefinition,
        at position: Int64,
        deadLetters: DeadLetterBox,
        seed: UInt64
    ) -> Int {
        let position = min(max(position, log.first), log.head)
        subscriptions.append(
            Subscription(
                state: SubscriptionState(definition, at: position, seed: seed, floor: &floor),
                deadLetters: deadLetters
            )
        )
        return subscriptions.count - 1
    }

    /// Where the position of a consumer begins; without meaning where it needs none.
    func position(
        of consumer: ConsumerID,
        at place: Int,
        start: StartPosition?
    ) throws(EventStreamingError) -> Int64 {
        let subscription = subscriptions[place].state
        guard subscription.needsPosition(for: consumer) else { return log.first }
        return try offset(of: start ?? subscription.definition.start)
    }

    /// Changes a subscription, and removes what nobody needs any more.
    mutating func withSubscription<Result: Sendable, Failure: Error>(
        _ place: Int,
        at moment: Moment,
        effects: inout Effects,
        _ body: (inout Subscription, EventLog, inout RetentionFloor, inout SubscriptionEffects) throws(Failure) ->
            Result
    ) throws(Failure) -> Result {
        var changes = SubscriptionEffects()
        let result = try body(&subscriptions[place], log, &floor, &changes)
        apply(changes, of: place, at: moment, effects: &effects)
        earliestDeadline = min(earliestDeadline, subscriptions[place].state.earliestDeadline)
        trimFinished(effects: &effects)
        return result
    }

    private mutating func apply(
        _ changes: SubscriptionEffects,
        of place: Int,
        at moment: Moment,
        effects: inout Effects
    ) {
        effects.hasNews = effects.hasNews || changes.hasNews
        expired += changes.expired
        for change in changes.receipts {
            subscriptions[place].receipts.apply(change, at: moment.now, keepingFrom: log.first)
        }
        subscriptions[place].bury(changes.givenUp, log: log, at: moment, effects: &effects)
    }
}
