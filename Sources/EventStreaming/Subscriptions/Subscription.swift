public import EventStreamingCore

/// The deliveries of a subscription to one consumer, as an asynchronous sequence.
///
/// ```swift
/// for try await delivery in try streaming.subscribe(to: "welcome-mail", as: "consumer-1") {
///     print(delivery.event)
/// }
/// ```
///
/// *Order and completeness*: events come in the order of the stream; events given back come again, later. At least once,
/// an event comes until it is acknowledged, which the loop does when it asks for the next one. At most once, an event
/// never comes again.
///
/// *Back-pressure*: nothing is fetched while the loop works on what it has; it holds at most the subscription's
/// prefetch.
///
/// *Ending*: the loop ends by itself when the service shuts down, having acknowledged what it was done with. Leaving it
/// with `break` or by an error gives back at once what it held; the delivery in hand counts as an attempt, so call
/// ``Delivery/acknowledge()`` before a `break` that means success. A cancelled task gets an error with code `cancelled`
/// and nothing counts as an attempt.
///
/// Each loop registers the consumer anew, when it asks for its first event, and takes over from any other under the same
/// name, whose loop then ends with code `consumerReplaced`. To be registered before something else happens use
/// ``EventStreaming/withSubscription(to:as:from:_:)``.
public struct Subscription: AsyncSequence, Sendable {
    /// A delivery.
    public typealias Element = Delivery
    /// Codes `cancelled`, `consumerReplaced`, `unknownConsumer` (a temporary consumer's time ran out, and events may
    /// have been missed), `shutDown`, or what the store reports.
    public typealias Failure = EventStreamingError

    let source: ConsumerSource

    init(_ makeConsumer: @escaping @Sendable () -> Consumer) {
        source = .here(makeConsumer)
    }

    init(connecting connect: @escaping @Sendable () async throws(EventStreamingError) -> Consumer?) {
        source = .elsewhere(connect)
    }

    /// The same, in batches.
    public var batches: Batches { Batches(source: source) }

    /// Begins a loop.
    public func makeAsyncIterator() -> Iterator {
        Iterator(source)
    }

    /// Where a loop is.
    public struct Iterator: AsyncIteratorProtocol {
        private let source: ConsumerSource
        private var handle: ConsumerHandle?
        private var previous: DeliveryKey?

        init(_ source: ConsumerSource) {
            self.source = source
            handle = source.handle
        }

        /// Acknowledges the previous delivery, unless it was settled, and waits for the next; `nil` at the end.
        public mutating func next() async throws(EventStreamingError) -> Delivery? {
            let finished = previous
            previous = nil
            if handle == nil {
                handle = try await source.connected()
            }
            guard let handout = try await handle?.consumer.next(1, completing: finished) else { return nil }
            previous = handout.key
            return Delivery(handout.source, at: handout.indices.lowerBound)
        }

        /// As ``next()``, in the isolation given.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(EventStreamingError) -> Delivery? {
            try await next()
        }
    }
}

extension Subscription {
    /// The deliveries of a subscription in batches: all that was fetched at once, at most the subscription's prefetch.
    public struct Batches: AsyncSequence, Sendable {
        /// A batch with at least one delivery.
        public typealias Element = DeliveryBatch
        /// As ``Subscription/Failure``.
        public typealias Failure = EventStreamingError

        let source: ConsumerSource

        /// Begins a loop.
        public func makeAsyncIterator() -> Iterator {
            Iterator(source)
        }

        /// Where a loop is.
        public struct Iterator: AsyncIteratorProtocol {
            private let source: ConsumerSource
            private var handle: ConsumerHandle?
            private var previous: DeliveryKey?

            init(_ source: ConsumerSource) {
                self.source = source
                handle = source.handle
            }

            /// Acknowledges what is left of the previous batch and waits for the next; `nil` at the end.
            public mutating func next() async throws(EventStreamingError) -> DeliveryBatch? {
                let finished = previous
                previous = nil
                if handle == nil {
                    handle = try await source.connected()
                }
                guard let handout = try await handle?.consumer.next(.max, completing: finished) else { return nil }
                previous = handout.key
                return DeliveryBatch(handout: handout)
            }

            /// As ``next()``, in the isolation given.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(EventStreamingError) -> DeliveryBatch? {
                try await next()
            }
        }
    }
}

/// Where the consumer of a loop comes from.
enum ConsumerSource: Sendable {
    /// It is made when the loop begins.
    case here(@Sendable () -> Consumer)
    /// What it must know of its subscription is told when it has registered; `nil` when that is not to be any more.
    case elsewhere(@Sendable () async throws(EventStreamingError) -> Consumer?)

    var handle: ConsumerHandle? {
        if case .here(let make) = self { ConsumerHandle(make()) } else { nil }
    }

    func connected() async throws(EventStreamingError) -> ConsumerHandle? {
        switch self {
        case .here(let make): ConsumerHandle(make())
        case .elsewhere(let connect): try await connect().map(ConsumerHandle.init)
        }
    }
}

/// Keeps a consumer for as long as its loop exists, and gives it up when the loop is gone.
final class ConsumerHandle: Sendable {
    let consumer: Consumer

    init(_ consumer: Consumer) {
        self.consumer = consumer
    }

    deinit {
        consumer.abandon()
    }
}
