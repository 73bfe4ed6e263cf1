public import EventStreamingCore

extension EventStreamingStorage {
    /// Events in an SQLite file: durable, in one process, with nothing to install or to run.
    ///
    /// The file is opened when the engine is created, which throws what is wrong with it; see ``SQLiteEventStreamStore``.
    ///
    /// - Parameter path: The database file, created when there is none. Its folder must exist.
    public static func sqlite(path: String) -> EventStreamingStorage {
        EventStreamingStorage { environment throws(EventStreamingError) in
            try SQLiteEventStreamStore(path: path, clock: environment.clock)
        }
    }
}
