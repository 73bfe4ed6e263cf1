#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

extension PostgreSQLEventStreamStore {
    /// The gate of a subscription.
    ///
    /// - Throws: `unknownSubscription`.
    func gate(of id: SubscriptionID) async throws(EventStreamingError) -> SubscriptionGate {
        if let gate = subscriptions.known(id) { return gate }
        let streams = directory
        let entry = try await withSession { (session) throws(EventStreamingError) in
            try SubscriptionEntry.find(id, streams, session)
        }
        guard let entry else { throw .unknownSubscription(id) }
        return subscriptions.add(entry, arrival.makeGate)
    }

    /// The gate of a registration's subscription. A registration can only come from a subscription, so there is no error
    /// for a missing one but that the consumer is not known.
    func gate(of registration: ConsumerRegistration) async throws(EventStreamingError) -> SubscriptionGate {
        do throws(EventStreamingError) {
            return try await gate(of: registration.subscription)
        } catch {
            throw error.code == .unknownSubscription ? .unknownConsumer(registration) : error
        }
    }

    /// The gate, when everything has ended that decides where its stream begins now.
    func arrived(at gate: SubscriptionGate) async throws(EventStreamingError) -> SubscriptionGate {
        guard gate.entry.stream.type == .ephemeral else { return gate }
        let arrival = arrival
        try await withSession { (session) throws(EventStreamingError) in
            try arrival.run(in: gate.entry.stream, session)
        }
        return gate
    }

    static func makeGate(
        _ entry: SubscriptionEntry,
        _ connections: Connections,
        _ streams: StreamDirectory,
        _ clock: any EventStreamingClock,
        _ news: News,
        _ expired: ExpiredConsumers,
        _ usesServerTime: Bool
    ) -> SubscriptionGate {
        let operations = SubscriptionGate.Group(maximumWeight: 64) { requests in
            guard let gate = requests.first?.gate else { return [] }
            let transaction = SubscriptionTransaction(
                gate: gate,
                operations: requests.map(\.operation),
                streams: streams,
                clock: clock,
                usesServerTime: usesServerTime
            )
            do throws(EventStreamingError) {
                let outcome = try await connections.withSession(isCancellable: false) {
                    (session) throws(EventStreamingError) in
                    try transaction.run(session)
                }
                expired.add(outcome.expired)
                news.tell(outcome.changed)
                return requests.map { _ in nil }
            } catch {
                return requests.map { _ in error }
            }
        }
        return SubscriptionGate(entry, operations: operations)
    }

    /// Does something to a subscription in a transaction of its own, without others who wait.
    ///
    /// - Parameter body: As in ``change(_:isDurable:need:_:)``.
    func changeAlone<Value: Sendable>(
        _ gate: SubscriptionGate,
        _ body: @escaping @Sendable (inout SubscriptionState, SubscriptionWork) throws(EventStreamingError) -> Value
    ) async throws(EventStreamingError) -> Value {
        let outcome = OperationOutcome<Value>()
        let operation = SubscriptionOperation { state, work in
            work.isDurable = true
            outcome.set(Result { () throws(EventStreamingError) in try body(&state, work) })
        }
        let transaction = SubscriptionTransaction(
            gate: gate,
            operations: [operation],
            streams: arrival.streams,
            clock: arrival.clock,
            usesServerTime: arrival.usesServerTime
        )
        let done = try await withSession(isCancellable: false) { (session) throws(EventStreamingError) in
            try transaction.run(session)
        }
        arrival.expired.add(done.expired)
        arrival.news.tell(done.changed)
        return try outcome.take()
    }

    /// Does something to a subscription, as it is at this moment, and writes down what changed.
    ///
    /// - Parameters:
    ///   - isDurable: Whether the change must survive a crash of the server.
    ///   - need: What has to be known of the stream.
    ///   - body: What to do; done again when it turns out that somebody else had changed the subscription.
    func change<Value: Sendable>(
        _ gate: SubscriptionGate,
        isDurable: Bool = true,
        need: SubscriptionOperation.Need = .look,
        _ body: @escaping @Sendable (inout SubscriptionState, SubscriptionWork) throws(EventStreamingError) -> Value
    ) async throws(EventStreamingError) -> Value {
        let outcome = OperationOutcome<Value>()
        let operation = SubscriptionOperation(
            apply: { state, work in
                work.isDurable = work.isDurable || isDurable
                outcome.set(Result { () throws(EventStreamingError) in try body(&state, work) })
            },
            need: need
        )
        if let error = try await gate.operations.submit(SubscriptionGate.Request(gate: gate, operation: operation)) {
            throw error
        }
        return try outcome.take()
    }
}
#endif
