extension FaultInjectingStore {
    /// A call of a store, with the name of its method.
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        /// `createStream(_:)`.
        case createStream
        /// `append(_:)` of a single append.
        case append
        /// `append(_:)` of a group of appends.
        case appendGroup
        /// `withTransaction(_:)`.
        case transaction
        /// `read(_:from:direction:limit:)`.
        case read
        /// `metadata(of:)`.
        case metadata
        /// `offset(of:in:)`.
        case offset
        /// `trim(_:before:)`.
        case trim
        /// `applyRetention(to:)`.
        case applyRetention
        /// `dequeue(as:limit:settling:)`.
        case dequeue
        /// `settle(_:)`, which also acknowledges, gives back and releases; and `dequeue(as:limit:settling:)` with a
        /// settlement.
        case settle
        /// `createSubscription(_:)`.
        case createSubscription
        /// `createConsumer`.
        case createConsumer
        /// `registerConsumer(_:of:kind:start:)`.
        case registerConsumer
        /// `unregisterConsumer(_:)`.
        case unregisterConsumer
        /// `removeConsumer(_:of:)`.
        case removeConsumer
        /// `heartbeat(_:extending:)`.
        case heartbeat
        /// `expireConsumers()`.
        case expireConsumers
        /// `consumers(of:)`.
        case consumers
        /// `partitions(of:)`.
        case partitions
        /// `repartition(_:into:)`.
        case repartition
        /// `progress(of:)`.
        case progress
        /// `setOffset(_:of:in:epoch:)`.
        case setOffset
        /// `positions(of:)`, and `offset(of:in:)`, which asks for them.
        case positions
        /// `deadLetters(of:from:limit:)`.
        case deadLetters
        /// `redrivable(_:of:)`.
        case redrivable
        /// `redrive(_:of:by:)`.
        case redrive
        /// `discard(_:of:by:)`.
        case discard
        /// `deadLetterAudit(of:from:limit:)`.
        case deadLetterAudit
        /// `wasProcessed(_:by:)`.
        case wasProcessed
        /// `markProcessed(_:by:at:)` of the store; one in a transaction is a part of ``transaction``.
        case markProcessed
        /// `forgetProcessed(_:by:)`.
        case forgetProcessed
        /// `tryAcquireLocks(_:for:)`.
        case acquireLocks
        /// `releaseLocks(_:)`.
        case releaseLocks
        /// `claim(_:by:locking:for:)`.
        case claim
        /// `cleanup(olderThan:limit:)`.
        case cleanup
        /// `markDelivered(_:to:of:)`.
        case markDelivered
        /// `markRead(_:by:of:)`.
        case markRead
        /// `unreadCount(of:in:)`.
        case unreadCount
        /// `unreadReceipts(of:in:from:limit:)`.
        case unreadReceipts
        /// `receipts(for:in:after:limit:)`.
        case receipts
        /// `expiredUnreadReceipts(of:after:limit:)`.
        case expiredUnreadReceipts
        /// `expireUnread(of:after:policy:limit:)`.
        case expireUnread
        /// `cleanUpReceipts(of:limit:)`.
        case cleanUpReceipts
    }

    /// Which calls a fault applies to, counted from the moment it was added.
    public enum Frequency: Sendable, Hashable {
        /// The next so many calls.
        case nextCalls(Int)
        /// Every so-manieth call: with 3, the third, the sixth and so on. Below 1 the same as 1.
        case every(Int)
        /// All calls.
        case always
    }

    /// Whether the call had its effect.
    public enum Effect: Sendable, Hashable {
        /// Nothing has happened.
        case before
        /// It has happened, but the caller is not told: the answer is lost or late.
        case after
    }

    /// Counts calls to tell which ones are meant.
    struct Schedule {
        private let frequency: Frequency
        private var calls = 0

        init(_ frequency: Frequency) {
            self.frequency = frequency
        }

        mutating func next() -> Bool {
            calls += 1
            return switch frequency {
            case .nextCalls(let count): calls <= count
            case .every(let step): calls.isMultiple(of: max(1, step))
            case .always: true
            }
        }
    }
}
