public import Configuration
public import EventStreamingCore

extension EventStreamingStorage {
    /// The storage that a configuration names.
    ///
    /// | Key | For | Value |
    /// |---|---|---|
    /// | `storage` | all | `memory`, `sqlite` or `postgresql`; `memory` when it is missing |
    /// | `path` | `sqlite` | the database file |
    /// | `url` | `postgresql` | where the server is, as libpq understands it; a secret, for it may hold a password |
    /// | `pool.maximumConnections` | `postgresql` | the most connections for the store's work |
    ///
    /// `postgresql` needs the package's trait `PostgreSQL`. Secrets are read as secrets, and are in no error.
    ///
    /// - Throws: `EventStreamingError` with code `invalidConfiguration` and all problems at once.
    public init(configuration: ConfigReader) throws(EventStreamingError) {
        var values = ConfigurationValues(configuration)
        let storage = values.storage()
        try values.finish()
        self = storage ?? Self.unreachable
    }

    /// There is a storage where there are no problems.
    private static var unreachable: EventStreamingStorage {
        EventStreamingStorage { _ throws(EventStreamingError) in
            throw EventStreamingError(.invalidConfiguration, "No storage was chosen.")
        }
    }
}
