import EventStreamingCore

/// One call of a history; what it refers to is told by its number, since epochs differ from store to store.
enum ParityCall: Sendable {
    case createStream(StreamDefinition)
    case append([StreamAppend])
    case read(StreamName, StreamOffset, ReadDirection, limit: Int)
    case metadata(StreamName)
    case resolve(StartPosition, StreamName)
    case trim(StreamName, StreamOffset)
    case applyRetention(StreamName)
    case createSubscription(SubscriptionDefinition)
    case createConsumer(ConsumerID, SubscriptionID, StartPosition?)
    case register(ConsumerID, SubscriptionID, ConsumerKind, StartPosition?)
    case unregister(Int)
    case remove(ConsumerID, SubscriptionID)
    /// Extending all leases, none, or only that of a number.
    case heartbeat(Int, extendsLeases: Bool, lease: Int?)
    case expire
    case look(SubscriptionID)
    case dequeue(Int, limit: Int)
    /// Alone, or together with leasing what comes next, as the holder unless another registration is named.
    case settle(lease: Int, [ParityFate], releasesRest: Bool, dequeuing: (registration: Int?, limit: Int)?)
    case setOffset(StreamOffset, ConsumerID?, SubscriptionID, registration: Int)
    case deadLetters(SubscriptionID, StreamOffset, limit: Int)
    case redrivable([Range<StreamOffset>], SubscriptionID)
    case redrive([Range<StreamOffset>], SubscriptionID)
    case discard([Range<StreamOffset>], SubscriptionID, AuditNote)
    case deadLetterAudit(SubscriptionID, limit: Int)
    case receipts(ParityReceiptCall, SubscriptionID)
    case advance(Duration)
    case setClock(Timestamp)
}

/// What becomes of an event of a lease, by its place in it.
enum ParityFate: Sendable {
    case completed
    /// Completed, and read where the subscription keeps receipts.
    case read
    case rejected(Rejection.Action)
    case open
}
