public import Configuration
public import EventStreaming

extension EventStreaming {
    /// Creates a service whose storage and limits come from outside: from environment variables, a file, or wherever the
    /// reader's providers look.
    ///
    /// ```swift
    /// let config = ConfigReader(provider: EnvironmentVariablesProvider())
    /// let streaming = try EventStreaming(configuration: config.scoped(to: "events")) { streaming in … }
    /// ```
    ///
    /// With that, `EVENTS_STORAGE=sqlite` and `EVENTS_PATH=events.sqlite` choose the storage. The keys are those of
    /// ``EventStreamingCore/EventStreamingStorage/init(configuration:)``, and for the service as a whole:
    ///
    /// | Key | Option |
    /// |---|---|
    /// | `limits.maximumPayloadBytes` | `options.limits.maximumPayloadBytes` |
    /// | `limits.maximumHeaders` | `options.limits.maximumHeaders` |
    /// | `limits.maximumHeaderBytes` | `options.limits.maximumHeaderBytes` |
    /// | `shutdownTimeoutSeconds` | `options.shutdownTimeout` |
    /// | `retentionIntervalSeconds` | `options.retentionInterval` |
    ///
    /// A key that is missing leaves the default. What `configure` sets has the last word.
    ///
    /// - Parameters:
    ///   - configuration: Where to read. Values are read once.
    ///   - configure: Declares streams, subscriptions and handlers.
    /// - Throws: `EventStreamingError` with code `invalidConfiguration` and all problems at once, those of the values read
    ///   first; or what ``init(storage:configure:)`` throws.
    public convenience init(
        configuration: ConfigReader,
        configure: (inout EventStreamingBuilder) throws -> Void
    ) throws {
        var values = ConfigurationValues(configuration)
        let storage = values.storage()
        var options = EventStreamingOptions()
        values.read(into: &options)
        try values.finish()
        try self.init(storage: storage ?? .inMemory) { streaming in
            streaming.options = options
            try configure(&streaming)
        }
    }
}
