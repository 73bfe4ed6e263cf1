extension Migration {
    /// The first tables.
    ///
    /// `position` is the key of an event: the number of its stream times 2⁴⁰, plus its offset. So the events of a stream
    /// lie next to each other in order of their offsets, and no index is needed to read them.
    ///
    /// `bytes_before` counts the payload bytes of the stream up to the event. So what is left after trimming is known
    /// without looking at what was trimmed.
    static let tables = Migration(
        version: 1,
        sql: """
            CREATE TABLE streams (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL UNIQUE,
                type TEXT NOT NULL,
                capacity INTEGER,
                overflow TEXT NOT NULL,
                first INTEGER NOT NULL DEFAULT 0,
                head INTEGER NOT NULL DEFAULT 0,
                deleted INTEGER NOT NULL DEFAULT 0,
                dropped INTEGER NOT NULL DEFAULT 0,
                bytes_trimmed INTEGER NOT NULL DEFAULT 0,
                bytes_appended INTEGER NOT NULL DEFAULT 0,
                timestamp INTEGER NOT NULL DEFAULT -9223372036854775808
            ) STRICT;

            CREATE TABLE events (
                position INTEGER PRIMARY KEY,
                stream INTEGER NOT NULL GENERATED ALWAYS AS (position >> 40) VIRTUAL,
                "offset" INTEGER NOT NULL GENERATED ALWAYS AS (position & 1099511627775) VIRTUAL,
                timestamp INTEGER NOT NULL,
                bytes_before INTEGER NOT NULL,
                event_id BLOB NOT NULL,
                event_type TEXT NOT NULL,
                event_version INTEGER NOT NULL,
                size INTEGER,
                correlation_id TEXT,
                causation_id BLOB,
                headers TEXT,
                event_data BLOB NOT NULL
            ) STRICT;

            CREATE UNIQUE INDEX events_by_id ON events (stream, event_id);
            """
    )
}
