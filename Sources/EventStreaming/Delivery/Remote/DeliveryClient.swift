package import CQRS
package import EventStreamingCore

/// The engine on the side of a client: its loops, deliveries and emitters are those of a service, over a provider that
/// reaches a service elsewhere.
package final class DeliveryClient: Sendable {
    package let commands: CommandBus
    package let queries: QueryBus
    package let emitter: EventEmitter
    let engine: Engine
    private let store: RemoteStore
    private let prefetch: Int

    /// - Throws: `invalidConfiguration` with all problems at once.
    package init(
        over provider: some EventDeliveryProvider & MessageSender,
        _ builder: consuming DeliveryClientBuilder
    ) throws(EventStreamingError) {
        var problems: [String] = []
        var catalog = StreamCatalog()
        catalog.usesNamesOfWorkflows = true
        for (workflow, name) in builder.streams {
            do throws(EventStreamingError) {
                catalog.add(workflow, try StreamName(name))
            } catch {
                problems.append(error.message)
            }
        }
        if !(1...100_000).contains(builder.prefetch) {
            problems.append("The prefetch is \(builder.prefetch); it must be 1 to 100 000.")
        }
        if builder.reconnects.shortestDelay <= .zero
            || builder.reconnects.longestDelay < builder.reconnects.shortestDelay
        {
            problems.append(
                "The delays before reconnecting must be more than zero, the longest not below the shortest.")
        }
        var commandBuilder = CommandBusBuilder()
        for register in builder.commands {
            register(&commandBuilder, provider)
        }
        var queryBuilder = QueryBusBuilder()
        for register in builder.queries {
            register(&queryBuilder, provider)
        }
        var buses: (CommandBus, QueryBus)?
        do throws(CQRSError) {
            buses = (try commandBuilder.build(), try queryBuilder.build())
        } catch {
            problems.append(error.message)
        }
        guard let (commands, queries) = buses, problems.isEmpty else {
            throw EventStreamingError(
                .invalidConfiguration,
                "The client cannot be created.",
                problems: problems
            )
        }
        let store = RemoteStore(provider, reconnects: builder.reconnects, options: builder.options)
        do {
            engine = try Engine(
                options: builder.options,
                storage: EventStreamingStorage { _ in store },
                streams: catalog,
                subscriptions: [],
                types: builder.eventTypes,
                reconnects: builder.reconnects
            ) { appender, lifecycle in
                Messaging(
                    commands: commands,
                    queries: queries,
                    emitter: EventEmitter(appender: appender, lifecycle: lifecycle)
                )
            }
        } catch let error as EventStreamingError {
            throw error
        } catch {
            throw EventStreamingError(.invalidConfiguration, "The client cannot be created.", underlying: error)
        }
        self.store = store
        self.commands = commands
        self.queries = queries
        prefetch = builder.prefetch
        emitter = engine.messaging.emitter
    }

    deinit {
        engine.forgetEverything()
    }

    // MARK: - Running

    /// Works until the client shuts down or the task is cancelled.
    ///
    /// - Parameters:
    ///   - connections: Keeps the provider connected until `end` is called.
    ///   - end: Called when all consumers have given back what they held.
    /// - Throws: `alreadyRunning`, `shutDown`; what `connections` throws; `CancellationError`.
    package func run(
        _ connections: @escaping @Sendable () async throws -> Void,
        end: @escaping @Sendable () -> Void
    ) async throws {
        try engine.lifecycle.start()
        defer {
            engine.lifecycle.stop()
            engine.wakeAll()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { self.beginShutdown() }
                try await connections()
            }
            await ServiceRunner(engine: engine).run()
            end()
            do {
                try await group.waitForAll()
            } catch {
                try Task.checkCancellation()
                throw error
            }
        }
        try Task.checkCancellation()
    }

    /// Begins a graceful shutdown; later calls do nothing.
    package func beginShutdown() {
        guard engine.lifecycle.drain() else { return }
        store.end()
        engine.wakeAll()
    }

    /// Whether new work is refused.
    package var isEnding: Bool { engine.lifecycle.isDraining }

    // MARK: - Decoding

    /// An event of the past, to be decoded as this client does.
    package func replayed(_ record: StoredEvent) -> ReplayedEvent { ReplayedEvent(record, engine: engine) }

    // MARK: - Subscribing

    package func subscribe(
        to subscription: String,
        as consumer: String?,
        from start: StartPosition?
    ) throws(EventStreamingError) -> Subscription {
        let (id, consumer) = (try SubscriptionID(subscription), try consumer.map(Self.consumerID))
        try engine.lifecycle.admit()
        return Subscription(connecting: { [self] () async throws(EventStreamingError) in
            try await connected(to: id, as: consumer, from: start)
        })
    }

    package func withSubscription<Result>(
        to subscription: String,
        as consumer: String?,
        from start: StartPosition?,
        _ body: (Subscription) async throws -> Result
    ) async throws -> Result {
        let (id, consumer) = (try SubscriptionID(subscription), try consumer.map(Self.consumerID))
        try engine.lifecycle.admit()
        guard let registered = try await connected(to: id, as: consumer, from: start) else {
            throw Lifecycle.shuttingDown
        }
        return try await engine.with(registered, body)
    }

    private static func consumerID(_ name: String) throws(EventStreamingError) -> ConsumerID { try ConsumerID(name) }

    /// A consumer that is registered; `nil` where the client shuts down before.
    private func connected(
        to subscription: SubscriptionID,
        as id: ConsumerID?,
        from start: StartPosition?
    ) async throws(EventStreamingError) -> Consumer? {
        let request = ConsumerRequest(subscription: subscription, consumer: id, start: start)
        let connected: any DeliveryConsumer
        do throws(EventStreamingError) {
            connected = try await store.connect(request, as: id)
        } catch {
            if error.code == .shuttingDown, engine.lifecycle.isDraining { return nil }
            throw error
        }
        let registration = connected.registration
        let consumer = Consumer(
            id ?? registration.consumer,
            kind: id == nil ? .temporary : .durable,
            start: start,
            plan: try connected.terms.plan(of: subscription, prefetch: prefetch),
            engine: engine
        )
        consumer.adopt(registration)
        // Whoever gives signs of life has to know by when.
        engine.abandonments.notify()
        return consumer
    }
}

extension ConsumerTerms {
    /// The subscription as far as its consumers must know it.
    fileprivate func plan(of subscription: SubscriptionID, prefetch: Int) throws(EventStreamingError)
        -> SubscriptionPlan
    {
        SubscriptionPlan(
            definition: try SubscriptionDefinition(
                id: subscription,
                stream: stream,
                mode: mode,
                partitions: max(1, partitions),
                semantics: semantics,
                visibilityTimeout: visibilityTimeout,
                consumerTimeout: consumerTimeout
            ),
            prefetch: prefetch,
            maximumConcurrency: 1,
            handler: nil,
            transactionalHandler: nil,
            consumer: nil,
            health: HealthThresholds(),
            unread: nil
        )
    }
}
