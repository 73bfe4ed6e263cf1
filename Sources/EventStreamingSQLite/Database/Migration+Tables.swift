extension Migration {
    /// The first tables.
    ///
    /// `position` is the key of an event: the number of its stream times 2⁴⁰, plus its offset. So the events of a stream
    /// lie next to each other in order of their offsets, and no index is needed to read them.
    ///
    /// `bytes_before` counts the payload bytes of the stream up to the event. So what is left after trimming is known
    /// without looking at what was trimmed.
    ///
    /// Times at which something ends or falls due are wall clock times, as monotonic ones mean nothing to the next
    /// process; 0 is "at once".
    static let tables = Migration(
        version: 1,
        sql: """
            CREATE TABLE counters (
                name TEXT PRIMARY KEY,
                value INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE streams (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL UNIQUE,
                type TEXT NOT NULL,
                capacity INTEGER,
                overflow TEXT NOT NULL,
                retention_age INTEGER,
                retention_count INTEGER,
                retention_bytes INTEGER,
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

            CREATE TABLE subscriptions (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL UNIQUE,
                stream INTEGER NOT NULL REFERENCES streams (id),
                dead_letter_stream INTEGER NOT NULL REFERENCES streams (id),
                mode TEXT NOT NULL,
                semantics TEXT NOT NULL DEFAULT '',
                start_kind TEXT NOT NULL DEFAULT '',
                start_value INTEGER,
                is_filtered INTEGER NOT NULL DEFAULT 0,
                maximum_attempts INTEGER NOT NULL DEFAULT 0,
                initial_delay INTEGER NOT NULL DEFAULT 0,
                maximum_delay INTEGER NOT NULL DEFAULT 0,
                jitter REAL NOT NULL DEFAULT 0,
                visibility_timeout INTEGER NOT NULL DEFAULT 0,
                consumer_timeout INTEGER NOT NULL DEFAULT 0,
                last_epoch INTEGER NOT NULL DEFAULT 0,
                position INTEGER NOT NULL DEFAULT 0,
                next INTEGER NOT NULL DEFAULT 0,
                missed INTEGER NOT NULL DEFAULT 0
            ) STRICT;

            CREATE TABLE subscription_event_types (
                subscription INTEGER NOT NULL REFERENCES subscriptions (id),
                event_type TEXT NOT NULL,
                PRIMARY KEY (subscription, event_type)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE consumer_offsets (
                subscription INTEGER NOT NULL REFERENCES subscriptions (id),
                consumer TEXT NOT NULL,
                kind TEXT NOT NULL,
                epoch INTEGER NOT NULL,
                is_connected INTEGER NOT NULL,
                registered_at INTEGER NOT NULL,
                last_seen_at INTEGER NOT NULL,
                expires_at INTEGER NOT NULL,
                position INTEGER NOT NULL,
                next INTEGER NOT NULL,
                missed INTEGER NOT NULL,
                PRIMARY KEY (subscription, consumer)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE deliveries (
                subscription INTEGER NOT NULL REFERENCES subscriptions (id),
                key INTEGER NOT NULL,
                consumer TEXT,
                holder INTEGER,
                due INTEGER NOT NULL,
                span_start INTEGER NOT NULL,
                span_end INTEGER NOT NULL,
                scheduled TEXT,
                remaining TEXT,
                attempts INTEGER NOT NULL,
                first_failure INTEGER,
                last_failure INTEGER,
                failure TEXT,
                redriven_offset INTEGER,
                redriven_timestamp INTEGER,
                redriven_id BLOB,
                redriven_type TEXT,
                redriven_version INTEGER,
                redriven_size INTEGER,
                redriven_correlation_id TEXT,
                redriven_causation_id BLOB,
                redriven_headers TEXT,
                redriven_data BLOB,
                PRIMARY KEY (subscription, key)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE dead_letters (
                stream INTEGER NOT NULL REFERENCES streams (id),
                number INTEGER NOT NULL,
                consumer TEXT,
                PRIMARY KEY (stream, number)
            ) STRICT, WITHOUT ROWID;
            """
    )
}
