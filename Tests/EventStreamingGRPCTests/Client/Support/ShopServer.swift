import EventStreaming
import EventStreamingGRPC
import EventStreamingTesting
import Testing

/// The service of these tests, which may come back with what another one has kept.
struct ShopServer: Sendable {
    let streaming: EventStreaming
    let provider: GRPCEventDeliveryProvider
    let clock: ManualClock
    let port: Int

    /// Runs a server around `body`; then it is gone without a word.
    ///
    /// - Parameters:
    ///   - storage: Where the service keeps its events; in memory by default.
    ///   - messages: What can be sent by name.
    ///   - service: Changes the service.
    ///   - options: Changes the server's options.
    static func run(
        storage: EventStreamingStorage = .inMemory,
        messages: RemoteMessages = RemoteMessages(),
        service: (inout EventStreamingBuilder) throws -> Void = { _ in },
        options: (inout GRPCServerOptions) throws -> Void = { _ in },
        _ body: @Sendable (ShopServer) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        let streaming = try EventStreaming(storage: storage) { streaming in
            streaming.options.clock = clock
            streaming.addStream(ShopWorkflow.self) { stream in
                stream.type = .persistent
                stream.isReplayEnabled = true
            }
            for (name, mode) in [
                ("queue", SubscriptionMode.exclusive), ("news", .broadcast), ("group", .consumerGroup),
                ("notes", .readReceipt),
            ] {
                streaming.addSubscription(name) { subscription in
                    subscription.stream(ShopWorkflow.self)
                    subscription.mode = mode
                    // What a lost connection held comes again at once.
                    subscription.retry.initialDelay = .zero
                    subscription.retry.maximumAttempts = 100
                }
            }
            try service(&streaming)
        }
        let provider = try GRPCEventDeliveryProvider(streaming, messages: messages) { server in
            server.port = 0
            try options(&server)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await provider.run() }
            do {
                let port = try #require(await provider.port)
                try await body(ShopServer(streaming: streaming, provider: provider, clock: clock, port: port))
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            // A connection that was made at this moment is waited for, for some time of the service's clock.
            let passing = clock.passing()
            defer { passing.cancel() }
            // Ended by cancellation, unless the test has shut it down before.
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    /// Emits orders with these numbers.
    func place(_ numbers: ClosedRange<Int>) async throws {
        try await streaming.emitter.emit(numbers.map { OrderPlaced(number: $0) })
    }

    /// Whether all orders are finished in the queue.
    func isQueueFinished() async throws -> Bool { try await isFinished("queue") }

    /// Whether all orders are finished in a subscription.
    func isFinished(_ subscription: String) async throws -> Bool {
        try await streaming.progress(of: subscription).allSatisfy { $0.lag == 0 && $0.inFlight == 0 }
    }
}
