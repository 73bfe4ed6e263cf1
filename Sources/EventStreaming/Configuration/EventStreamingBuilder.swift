public import CQRS
public import EventStreamingCore

/// Gathers everything a service declares, in the closure of ``EventStreaming/init(storage:configure:)``.
///
/// Nothing is checked while it is gathered. When the closure returns, everything is checked at once, and one error
/// lists all problems. After that nothing can change: the builder cannot be copied or kept.
public struct EventStreamingBuilder: ~Copyable {
    /// Settings of the service as a whole.
    public var options = EventStreamingOptions()
    /// The handlers of commands.
    public var commands = CommandRegistrations()
    /// The handlers of queries.
    public var queries = QueryBusBuilder()

    var streams: [(workflow: any Workflow.Type, configuration: StreamConfiguration)] = []
    var subscriptions: [(id: String, configuration: SubscriptionConfiguration)] = []
    var eventTypes: [any Event.Type] = []

    init() {}

    /// Declares the stream of a workflow's events.
    ///
    /// - Parameters:
    ///   - workflow: The workflow.
    ///   - configure: Changes the stream's settings.
    public mutating func addStream<W: Workflow>(
        _ workflow: W.Type,
        configure: (inout StreamConfiguration) throws -> Void
    ) rethrows {
        var configuration = StreamConfiguration(name: W.streamName)
        try configure(&configuration)
        streams.append((workflow, configuration))
    }

    /// Declares the stream of a workflow's events, with default settings.
    public mutating func addStream<W: Workflow>(_ workflow: W.Type) {
        streams.append((workflow, StreamConfiguration(name: W.streamName)))
    }

    /// Declares a subscription.
    ///
    /// - Parameters:
    ///   - id: The subscription's name, under which consumers subscribe and its position is kept.
    ///   - configure: Says which stream it follows, and changes its settings.
    public mutating func addSubscription(
        _ id: String,
        configure: (inout SubscriptionConfiguration) throws -> Void
    ) rethrows {
        var configuration = SubscriptionConfiguration()
        try configure(&configuration)
        subscriptions.append((id, configuration))
    }

    /// Makes an event type known, so that its stored bytes can be decoded.
    ///
    /// Not needed where a store keeps values, nor for types that a subscription names with
    /// ``SubscriptionConfiguration/handle(_:_:)`` or ``SubscriptionConfiguration/include(_:)``. A type that is only
    /// emitted and consumed in loops is known from its first emission on; declare it, or it is not known after a restart,
    /// and what is then delivered goes to the dead letters.
    public mutating func addEvent<E: Event>(_ type: E.Type) {
        eventTypes.append(type)
    }
}
