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
    /// How long a persistent stream keeps its events, for example `.maxAge(.days(90))`. Defaults to
    /// `RetentionPolicy.forever`. An ephemeral stream can have none: it keeps an event until it is finished.
    ///
    /// The policy is applied in the background, every ``EventStreamingOptions/retentionInterval``, and by
    /// ``EventStreaming/applyRetention(to:)``.
    public var retention: RetentionPolicy = .forever
    /// Whether the stream's events may be replayed. Defaults to `false`. Only for persistent streams.
    public var isReplayEnabled: Bool = false

    init(name: String) {
        self.name = name
    }
}
