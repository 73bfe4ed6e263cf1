/// A store that has everything the engine needs.
public typealias EventStreamingStore = EventStreamStore & SubscriptionStore & ConsumerOffsetStore & DeadLetterStore
    & IdempotencyStore & ReadReceiptStore
