import EventStreaming
import EventStreamingCore
import Logging
import ServiceLifecycle
import Synchronization

/// A connection to a server, over which a client's engine works: the client's half of the transport.
final class GRPCConnection: EventDeliveryProvider {
    private typealias Job = @Sendable () async -> Void

    let options: GRPCClientOptions
    let links: GRPCLinks
    let clock: any EventStreamingClock
    private let logger: Logger
    private let publisher: PublishPipeline
    private let jobs: (stream: AsyncStream<Job>, continuation: AsyncStream<Job>.Continuation)
    private let isEnding = Atomic(false)
    private let endings = Signal()

    /// - Throws: `invalidConfiguration` with all problems at once.
    init(
        _ options: GRPCClientOptions,
        codec: any EventCodec,
        clock: any EventStreamingClock,
        logger: Logger
    ) throws(EventStreamingError) {
        let problems = options.problems
        guard problems.isEmpty else {
            throw EventStreamingError(.invalidConfiguration, "The client cannot be created.", problems: problems)
        }
        self.options = options
        self.clock = clock
        self.logger = logger
        links = try GRPCLinks(options, clock: clock, logger: logger)
        publisher = PublishPipeline(links, options, codec: codec, clock: clock, logger: logger)
        let (stream, continuation) = AsyncStream<Job>.makeStream()
        jobs = (stream, continuation)
    }

    // MARK: - Life

    /// As ``EventDeliveryProvider`` says.
    func run() async throws {
        await withGracefulShutdownHandler {
            await runConnections()
        } onGracefulShutdown: {
            self.end()
        }
        try Task.checkCancellation()
    }

    /// Keeps the connection until ``end()``.
    @concurrent
    func runConnections() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.links.run() }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.runJobs() }
                group.addTask { await self.waitForLateness() }
                await group.next()
                group.cancelAll()
            }
            links.end()
            group.addTask {
                // A connection that cannot be made cannot be ended in good order.
                try? await self.clock.sleep(until: self.clock.uptime + self.options.closeTimeout)
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func runJobs() async {
        await withDiscardingTaskGroup { running in
            running.addTask { await self.publisher.run() }
            for await job in jobs.stream {
                running.addTask { await job() }
            }
        }
    }

    /// Returns when what runs has had its time to end.
    private func waitForLateness() async {
        while !Task.isCancelled {
            let version = endings.version
            if isEnding.load(ordering: .acquiring) { break }
            await endings.wait(since: version)
        }
        try? await clock.sleep(until: clock.uptime + options.closeTimeout)
    }

    /// Begins nothing new; what runs may end, within the time for closing.
    func end() {
        isEnding.store(true, ordering: .releasing)
        publisher.end()
        endings.notify()
        jobs.continuation.finish()
    }

    // MARK: - Consumers

    func connect(
        _ request: ConsumerRequest,
        onChange: @escaping @Sendable () -> Void
    ) async throws(EventStreamingError) -> any DeliveryConsumer {
        try await connect(request, waitsForSettlements: false, onChange: onChange)
    }

    /// - Parameter waitsForSettlements: Whether settlements that come with a question for events are recorded before it is
    ///   answered.
    func connect(
        _ request: ConsumerRequest,
        waitsForSettlements: Bool,
        onChange: @escaping @Sendable () -> Void
    ) async throws(EventStreamingError) -> any DeliveryConsumer {
        let environment = ConsumerSession.Environment(
            link: links.current,
            options: options,
            clock: clock,
            logger: logger,
            waitsForSettlements: waitsForSettlements
        )
        let session = ConsumerSession(request, environment, onChange: onChange)
        guard !isEnding.load(ordering: .acquiring), case .enqueued = jobs.continuation.yield({ await session.run() })
        else {
            throw EventStreamingError(.shuttingDown, "The client is shutting down.")
        }
        let opened = try await session.opened()
        return GRPCDeliveryConsumer(session: session, registration: opened.registration, terms: opened.terms)
    }

    // MARK: - Publishing

    func publish(_ appends: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        await publisher.publish(appends)
    }

    /// Whether the client has not been shut down. That the server can be reached shows when it is asked.
    var health: EventDeliveryHealth {
        get async {
            isEnding.load(ordering: .acquiring)
                ? EventDeliveryHealth(.ended, reason: "The client is shutting down.") : EventDeliveryHealth(.available)
        }
    }
}
