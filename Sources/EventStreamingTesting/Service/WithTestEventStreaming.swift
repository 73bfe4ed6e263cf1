public import EventStreaming
public import EventStreamingCore

/// Runs a service for a test: on a store in memory of its own, with a clock that stands still until the test moves it.
///
/// ```swift
/// try await withTestEventStreaming { streaming in
///     streaming.addStream(InvitationWorkflow.self)
/// } _: { streaming, clock in
///     try await streaming.emitter.emit(UserInvited(email: "ada@example.org"))
/// }
/// ```
///
/// The handlers of subscriptions get all that `body` emits, whether or not they have started by then.
///
/// - Parameters:
///   - storage: Where events are kept. Defaults to a fresh store in memory.
///   - clock: The service's clock. Defaults to a new one.
///   - configure: Declares streams, subscriptions and handlers; `options.clock` is set already.
///   - body: The test. It is cancelled when the service fails.
/// - Returns: What `body` returns, after the service has shut down. Handlers that are running then have the
///   `EventStreamingOptions.shutdownTimeout` in real time to finish; they are cancelled after that.
/// - Throws: What `body` throws, after the service has shut down; what `configure` and creating the service throw; what
///   `EventStreaming.run()` throws.
@discardableResult
public func withTestEventStreaming<Result: Sendable>(
    storage: EventStreamingStorage = .inMemory,
    clock: ManualClock = ManualClock(),
    configure: (inout EventStreamingBuilder) throws -> Void,
    _ body: @escaping @Sendable (_ streaming: EventStreaming, _ clock: ManualClock) async throws -> Result
) async throws -> Result {
    var shutdownTimeout = EventStreamingOptions().shutdownTimeout
    let streaming = try EventStreaming(storage: storage) { streaming in
        streaming.options.clock = clock
        try configure(&streaming)
        shutdownTimeout = streaming.options.shutdownTimeout
    }
    let run = TestRun(streaming: streaming, shutdownTimeout: shutdownTimeout)
    return try await run { try await body(streaming, clock) }
}
