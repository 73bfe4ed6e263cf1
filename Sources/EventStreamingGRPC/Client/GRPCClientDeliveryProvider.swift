public import EventStreaming

/// What a ``GRPCEventClient`` is to a machinery of its own: a provider, step by step as ``/EventStreaming/EventDeliveryProvider``
/// says. Loops have it easier with the client's own.
///
/// A consumer whose connection is lost answers `unknownConsumer` to everything; connect it anew.
public struct GRPCClientDeliveryProvider: EventDeliveryProvider {
    let client: GRPCEventClient

    /// Publishes to streams of the server; see ``/EventStreaming/EventDeliveryProvider/publish(_:)``.
    public func publish(_ appends: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        await client.connection.publish(appends)
    }

    /// Registers a consumer at the server; see ``/EventStreaming/EventDeliveryProvider/connect(_:onChange:)``.
    ///
    /// - Throws: besides, `storeUnavailable` when the server cannot be reached within the call's time.
    public func connect(
        _ request: ConsumerRequest,
        onChange: @escaping @Sendable () -> Void
    ) async throws(EventStreamingError) -> any DeliveryConsumer {
        try await client.connection.connect(request, waitsForSettlements: true, onChange: onChange)
    }

    /// Whether the client has not been shut down. That the server can be reached shows when it is asked.
    public var health: EventDeliveryHealth {
        get async { await client.connection.health }
    }

    /// Runs the client.
    public func run() async throws {
        try await client.run()
    }
}

extension GRPCEventClient {
    /// The client as a provider, for machinery that drives one.
    public var deliveryProvider: GRPCClientDeliveryProvider { GRPCClientDeliveryProvider(client: self) }
}
