import EventStreamingCore
import Logging
import Synchronization

/// What the parts of one service share: the store, the time, who consumes, and what wakes whom.
final class Engine: Sendable {
    let options: EventStreamingOptions
    let store: any EventStreamingStore
    /// How loops go on when the store cannot be reached; `nil` where they end, and their users decide.
    let reconnects: ReconnectPolicy?
    let lifecycle = Lifecycle()
    let telemetry: Telemetry
    let health: HealthWatch
    let plans: [SubscriptionID: SubscriptionPlan]
    /// The declared streams.
    let streams: StreamCatalog
    let preparation: Preparation
    let appender: Appender
    let messaging: Messaging
    /// Notified whenever something was settled, released or found to be finished.
    let activity = Signal()
    /// Notified when a consumer was abandoned, for whoever does the housekeeping.
    let abandonments = Signal()

    private let types: EventTypeRegistry
    private let router: StreamRouter
    private let consumers = Mutex<[ObjectIdentifier: Consumer]>([:])
    private let abandoned = Mutex<[Abandoned]>([])
    private let hasAbandoned = Atomic(false)

    var clock: any EventStreamingClock { options.clock }

    init(
        options: EventStreamingOptions,
        storage: EventStreamingStorage,
        streams: StreamCatalog,
        subscriptions: [SubscriptionPlan],
        types: [any Event.Type],
        reconnects: ReconnectPolicy? = nil,
        messaging makeMessaging: (Appender, Lifecycle) throws -> Messaging
    ) throws {
        self.options = options
        self.reconnects = reconnects
        let types = EventTypeRegistry(types, logger: options.logger)
        self.types = types
        self.streams = streams
        let store = try storage.makeStore(in: EventStreamingStorage.Environment(clock: options.clock))
        self.store = store
        let definitions = subscriptions.map(\.definition)
        try Engine.checkTransactions(of: store, for: definitions)
        telemetry = Telemetry(options: options, streams: streams.definitions.map(\.name), subscriptions: definitions)
        health = HealthWatch(of: subscriptions, in: store, options, lifecycle)
        plans = Dictionary(uniqueKeysWithValues: subscriptions.map { ($0.definition.id, $0) })
        router = StreamRouter(definitions)
        let preparation = Preparation { () async throws(EventStreamingError) in
            for stream in streams.definitions {
                try await store.createStream(stream)
            }
            try await Engine.createSubscriptions(definitions, in: store)
            for plan in subscriptions {
                // What is emitted before a handler's consumer connects waits for it.
                if let consumer = plan.durableHandlerConsumer {
                    try await store.createConsumer(consumer, of: plan.definition.id, start: nil)
                }
            }
        }
        self.preparation = preparation
        appender = Appender(
            store: store,
            streams: streams,
            ids: MessageIDGenerator(clock: options.clock),
            payloads: PayloadEncoder(
                form: store.payloadForm,
                codec: options.codec,
                limits: options.limits,
                types: types
            ),
            telemetry: telemetry,
            preparation: preparation
        )
        messaging = try makeMessaging(appender, lifecycle)
        store.addObserver(router)
    }

    /// Creates subscriptions in an order in which one that follows another's dead letters comes after it.
    private static func createSubscriptions(
        _ definitions: [SubscriptionDefinition],
        in store: any EventStreamingStore
    ) async throws(EventStreamingError) {
        var waiting = definitions
        while !waiting.isEmpty {
            let streams = Set(waiting.map(\.deadLetterStream))
            let ready = waiting.filter { !streams.contains($0.stream) }
            // A circle cannot be ordered; the store will say what is missing.
            let next = ready.isEmpty ? waiting : ready
            for definition in next {
                try await store.createSubscription(definition)
            }
            waiting.removeAll { next.contains($0) }
        }
    }

    // MARK: - Waking

    /// What consumers of a subscription wait for.
    func signal(of subscription: SubscriptionID) -> Signal { router.signal(of: subscription) }

    /// Wakes everybody who waits for events, so that they see that the service is draining.
    func wakeAll() {
        router.wakeAll()
        abandonments.notify()
        activity.notify()
    }

    /// Until when a consumer may wait that has found nothing so many times in a row: what the store says; where its hints
    /// can get lost, the time to look again; and, while nobody does the housekeeping for it, its next sign of life.
    func wakeUp(_ until: Duration?, _ plan: SubscriptionPlan, afterQuestions count: Int) -> Duration? {
        var deadlines = [until].compactMap { $0 }
        if let polling = store.polling {
            deadlines.append(clock.uptime + polling.interval(afterQuestions: count))
        }
        if lifecycle.phase == .created {
            deadlines.append(clock.uptime + plan.heartbeatInterval)
        }
        return deadlines.min()
    }

    // MARK: - Consumers

    /// The consumers registered through this engine.
    var activeConsumers: [Consumer] { consumers.withLock { Array($0.values) } }

    /// The consumers of a name registered through this engine: one, or for a moment a replaced one, too.
    func consumers(named id: ConsumerID, of subscription: SubscriptionID) -> [Consumer] {
        consumers.withLock { consumers in
            consumers.values.filter { $0.id == id && $0.plan.definition.id == subscription }
        }
    }

    func remember(_ consumer: Consumer) {
        consumers.withLock { $0[ObjectIdentifier(consumer)] = consumer }
    }

    func forget(_ consumer: Consumer) {
        guard consumers.withLock({ $0.removeValue(forKey: ObjectIdentifier(consumer)) }) != nil else { return }
        activity.notify()
    }

    /// Returns when everything that a closed consumer held was given back, or the task is cancelled.
    func waitUntilForgotten(_ consumer: Consumer) async {
        while !Task.isCancelled {
            let version = activity.version
            guard consumers.withLock({ $0[ObjectIdentifier(consumer)] != nil }) else { return }
            await activity.wait(since: version)
        }
    }

    func abandon(_ consumer: Abandoned) {
        abandoned.withLock { $0.append(consumer) }
        hasAbandoned.store(true, ordering: .releasing)
        abandonments.notify()
        if lifecycle.phase == .created {
            // Nobody does the housekeeping, but somebody may wait for what was held.
            signal(of: consumer.consumer.plan.definition.id).notify()
        }
    }

    /// Gives back what abandoned consumers held.
    func releaseAbandoned() async {
        guard hasAbandoned.exchange(false, ordering: .acquiringAndReleasing) else { return }
        let left = abandoned.withLock { abandoned in
            defer { abandoned.removeAll() }
            return abandoned
        }
        for held in left {
            await held.consumer.release((held.registration, held.settlements))
        }
    }

    /// Lets go of consumers that nobody will ask for any more; the store takes back by itself what they held.
    func forgetEverything() {
        consumers.withLock { $0.removeAll() }
        abandoned.withLock { $0.removeAll() }
    }

    // MARK: - Deliveries

    /// The event of a record, decoded where the store has bytes.
    func event(of record: StoredEvent) throws(EventStreamingError) -> any Event {
        var decoder = EventDecoder(types: types, codec: options.codec)
        return try decoder.event(of: record)
    }

    /// - Parameter processed: Events that were processed before, and are passed over.
    func decode(_ lease: Lease, passingOver processed: Set<MessageID> = []) -> DecodedLease {
        DecodedLease(lease, processed: processed, EventDecoder(types: types, codec: options.codec))
    }
}

extension SubscriptionPlan {
    /// How often a consumer gives a sign of life: three times in the shorter of its two timeouts.
    var heartbeatInterval: Duration {
        min(definition.consumerTimeout, definition.visibilityTimeout) / 3
    }
}
