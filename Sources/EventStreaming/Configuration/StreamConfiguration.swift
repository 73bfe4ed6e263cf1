public import EventStreamingCore

/// Settings of one stream.
public struct StreamConfiguration: Sendable {
    /// The stream's name. Defaults to the workflow's `Workflow.streamName`.
    public var name: String
    /// Queue or log. Defaults to `StreamType.ephemeral`.
    public var type: StreamType = .ephemeral
    /// Who may see the stream. Defaults to `StreamScope.internal`, the only scope there is without a broker.
    public var scope: StreamScope = .internal
    /// How often consumers of the stream may see an event, where the subscription does not say otherwise. Defaults to
    /// `DeliverySemantics.atLeastOnce`.
    public var semantics: DeliverySemantics = .atLeastOnce
    /// How many events the stream may hold. Defaults to ``StreamCapacity/automatic``.
    public var capacity: StreamCapacity = .automatic
    /// What happens when the stream is full. Defaults to `OverflowPolicy.reject`: emitting fails.
    public var overflow: OverflowPolicy = .reject

    init(name: String) {
        self.name = name
    }
}
