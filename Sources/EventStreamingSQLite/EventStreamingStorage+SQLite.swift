public import EventStreamingCore

extension EventStreamingStorage {
    /// Events in an SQLite file: durable, in one process, with nothing to install or to run.
    ///
    /// The file is opened when the engine is created, which throws what is wrong with it; see ``SQLiteEventStreamStore``.
    /// It is closed with the engine, not at the end of its `run()`, after which what is stored can still be read: once
    /// nothing refers to the engine any more, loops and deliveries included, the next one can open the file.
    ///
    /// - Parameter path: The database file, created when there is none. Its folder must exist.
    public static func sqlite(path: String) -> EventStreamingStorage {
        EventStreamingStorage { environment throws(EventStreamingError) in
            try SQLiteEventStreamStore(path: path, clock: environment.clock)
        }
    }
}
