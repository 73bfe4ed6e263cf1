#if PostgreSQL
extension Migration {
    /// All of them, in order.
    static let all: [Migration] = [streams]

    /// Streams and their events.
    ///
    /// Events are partitioned by offset alone, for all streams together: short streams share the first partition, and
    /// only long ones have more. So the number of partitions follows the longest stream, not the number of streams, and
    /// a range of offsets names its partition without asking anybody.
    private static let streams = Migration(version: 1, purpose: "Streams and their events") { settings in
        """
        CREATE TABLE store_settings (
            name text PRIMARY KEY,
            value bigint NOT NULL
        );
        INSERT INTO store_settings VALUES ('events_per_partition', \(max(1000, settings.eventsPerPartition)));

        CREATE TABLE streams (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text COLLATE "C" NOT NULL UNIQUE,
            type text NOT NULL CHECK (type IN ('ephemeral', 'persistent')),
            capacity bigint CHECK (capacity > 0),
            overflow text NOT NULL,
            first_offset bigint NOT NULL DEFAULT 0,
            head bigint NOT NULL DEFAULT 0,
            -- The end of the partition that the head is in.
            partition_end bigint NOT NULL,
            -- Rows below are deleted; those from here to first_offset wait for it.
            deleted_before bigint NOT NULL DEFAULT 0,
            dropped bigint NOT NULL DEFAULT 0,
            bytes bigint NOT NULL DEFAULT 0,
            last_timestamp bigint NOT NULL DEFAULT \(Int64.min),
            -- How many positions of subscriptions there are.
            positions bigint NOT NULL DEFAULT 0,
            -- The greatest event id before the partition that the head is in, and of all.
            sealed_event_id uuid,
            newest_event_id uuid
        ) WITH (fillfactor = 50);

        CREATE TABLE events (
            stream_id bigint NOT NULL,
            "offset" bigint NOT NULL,
            -- Nanoseconds since 1970.
            timestamp bigint NOT NULL,
            event_version bigint NOT NULL,
            -- NULL where it is the length of event_data.
            size bigint,
            event_id uuid NOT NULL,
            causation_id uuid,
            event_type text COLLATE "C" NOT NULL,
            correlation_id text COLLATE "C",
            -- A JSON object of strings; text, because jsonb cannot hold U+0000.
            headers text,
            event_data bytea NOT NULL,
            -- Reads pages of a stream.
            PRIMARY KEY (stream_id, "offset")
        ) PARTITION BY RANGE ("offset");

        -- Makes partitions until one holds the offset, and returns that one's end.
        CREATE FUNCTION make_event_partitions(wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $function$
        DECLARE
            size bigint := (SELECT value FROM store_settings WHERE name = 'events_per_partition');
            lower bigint := wanted - wanted % size;
            partition text := 'events_' || lower;
        BEGIN
            IF to_regclass(partition) IS NULL THEN
                PERFORM pg_advisory_xact_lock(hashtextextended('event partitions of ' || current_schema(), 0));
                IF to_regclass(partition) IS NULL THEN
                    EXECUTE format(
                        'CREATE TABLE %I (LIKE events INCLUDING DEFAULTS INCLUDING STORAGE)',
                        partition
                    );
                    -- Recognises events that are appended again. Not of the whole table: the offset would be part of it.
                    EXECUTE format('CREATE UNIQUE INDEX ON %I (stream_id, event_id)', partition);
                    -- Attaching, unlike creating in place, lets others read and append meanwhile.
                    EXECUTE format(
                        'ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                        partition, lower, lower + size
                    );
                END IF;
            END IF;
            RETURN lower + size;
        END
        $function$;
        SELECT make_event_partitions(0);

        -- The first offset of a stream from `low` to `high` that was accepted at the time or later. Timestamps never go
        -- back within a stream, so this needs no index of its own.
        CREATE FUNCTION offset_at(stream bigint, low bigint, high bigint, moment bigint) RETURNS bigint
        LANGUAGE plpgsql STABLE AS $function$
        DECLARE
            middle bigint;
        BEGIN
            WHILE low < high LOOP
                middle := low + (high - low) / 2;
                IF (SELECT timestamp FROM events WHERE stream_id = stream AND "offset" = middle) < moment THEN
                    low := middle + 1;
                ELSE
                    high := middle;
                END IF;
            END LOOP;
            RETURN low;
        END
        $function$;
        """
    }
}
#endif
