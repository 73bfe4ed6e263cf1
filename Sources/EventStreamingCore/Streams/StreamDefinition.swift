/// What a store must know about a stream.
public struct StreamDefinition: Sendable, Hashable {
    /// The stream's name.
    public var name: StreamName
    /// Queue or log.
    public var type: StreamType
    /// The most events the stream may hold; `nil` for no limit.
    public var capacity: Int?
    /// What happens when the stream is full.
    public var overflow: OverflowPolicy
    /// How long events are kept. Only for persistent streams: a queue keeps an event until it is finished.
    public var retention: RetentionPolicy

    /// Creates a definition.
    public init(
        name: StreamName,
        type: StreamType,
        capacity: Int? = nil,
        overflow: OverflowPolicy = .reject,
        retention: RetentionPolicy = .forever
    ) {
        self.name = name
        self.type = type
        self.capacity = capacity
        self.overflow = overflow
        self.retention = retention
    }
}

extension StreamDefinition {
    /// Everything that is wrong with the retention; empty when it can be used.
    package var retentionProblems: [String] {
        var problems = retention.problems
        if type == .ephemeral, !retention.isForever {
            problems.append(
                "retention needs a persistent stream: an ephemeral one keeps an event until every subscription has "
                    + "finished with it; bound it by its capacity."
            )
        }
        return problems
    }

    /// Throws `invalidArgument` with all problems of the retention, if there are any.
    package func checkRetention() throws(EventStreamingError) {
        let problems = retentionProblems
        guard problems.isEmpty else {
            throw EventStreamingError(
                .invalidArgument,
                "Stream '\(name)' has a retention outside what is allowed.",
                problems: problems
            )
        }
    }
}
