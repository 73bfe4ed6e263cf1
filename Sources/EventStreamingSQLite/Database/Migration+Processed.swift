extension Migration {
    /// Which events were processed.
    ///
    /// A mark is in two trees that both grow at their ends, where ids ascend: cheap to make, and found by its event as well
    /// as by its age. Locks are not here. They end with the process, as nobody else has the file open.
    static let processed = Migration(
        version: 3,
        sql: """
            CREATE TABLE processors (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL UNIQUE
            ) STRICT;

            CREATE TABLE processed_events (
                consumer_id INTEGER NOT NULL,
                event_id BLOB NOT NULL,
                processed_at INTEGER NOT NULL,
                PRIMARY KEY (consumer_id, event_id)
            ) STRICT, WITHOUT ROWID;

            CREATE INDEX processed_events_by_time ON processed_events (processed_at);
            """
    )
}
