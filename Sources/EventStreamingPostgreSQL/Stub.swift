#if PostgreSQL
public import EventStreamingCore
extension PostgreSQLEventStreamStore: EventStreamStore, SubscriptionStore, DeadLetterStore {
    static let no = EventStreamingError(.unsupported, "not yet")
    public func dequeue(as consumer: ConsumerRegistration, limit: Int) async throws(EventStreamingError)
        -> DequeueResult
    { throw Self.no }
    public func settle(_ settlement: Settlement) async throws(EventStreamingError) { throw Self.no }
    public func createSubscription(_ definition: SubscriptionDefinition) async throws(EventStreamingError) {
        throw Self.no
    }
    public func createConsumer(_ consumer: ConsumerID, of subscription: SubscriptionID, start: StartPosition?)
        async throws(EventStreamingError)
    { throw Self.no }
    public func registerConsumer(
        _ consumer: ConsumerID, of subscription: SubscriptionID, kind: ConsumerKind, start: StartPosition?
    ) async throws(EventStreamingError) -> ConsumerRegistration { throw Self.no }
    public func unregisterConsumer(_ registration: ConsumerRegistration) async throws(EventStreamingError) {
        throw Self.no
    }
    public func removeConsumer(_ consumer: ConsumerID, of subscription: SubscriptionID)
        async throws(EventStreamingError) -> Bool
    { throw Self.no }
    public func heartbeat(_ registration: ConsumerRegistration, extendsLeases: Bool) async throws(EventStreamingError) {
        throw Self.no
    }
    public func expireConsumers() async throws(EventStreamingError) -> [ConsumerRegistration] { throw Self.no }
    public func consumers(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerInfo] {
        throw Self.no
    }
    public func progress(of subscription: SubscriptionID) async throws(EventStreamingError) -> [SubscriptionProgress] {
        throw Self.no
    }
    public func deadLetters(of subscription: SubscriptionID, from number: StreamOffset, limit: Int)
        async throws(EventStreamingError) -> [DeadLetter]
    { throw Self.no }
    public func redrive(_ numbers: Range<StreamOffset>, of subscription: SubscriptionID)
        async throws(EventStreamingError) -> Int
    { throw Self.no }
}
#endif
