#if PostgreSQL
extension Migration {
    /// All of them, in order.
    static let all: [Migration] = [streams, subscriptions, changes, groups, processed, receipts, audit, order]

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
            -- Nanoseconds, events, bytes; NULL for no limit.
            maximum_age bigint,
            maximum_count bigint,
            maximum_bytes bigint,
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

        -- Makes the partitions from one offset to another where they are missing, and returns the end of the last.
        CREATE FUNCTION make_event_partitions(first bigint, last bigint) RETURNS bigint LANGUAGE plpgsql AS $function$
        DECLARE
            size bigint := (SELECT value FROM store_settings WHERE name = 'events_per_partition');
            lower bigint := first - first % size;
            partition text;
        BEGIN
            LOOP
                partition := 'events_' || lower;
                IF to_regclass(partition) IS NULL THEN
                    PERFORM pg_advisory_xact_lock(
                        hashtextextended('event partitions of ' || current_schema(), 0)
                    );
                    -- Not by to_regclass, which may answer from a cache that has not heard yet of a new table.
                    IF NOT EXISTS (
                        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                        WHERE n.nspname = current_schema() AND c.relname = partition
                    ) THEN
                        EXECUTE format(
                            'CREATE TABLE %I (LIKE events INCLUDING DEFAULTS INCLUDING STORAGE)',
                            partition
                        );
                        -- Recognises events that are appended again. Not of the whole table: the offset would be a part.
                        EXECUTE format('CREATE UNIQUE INDEX ON %I (stream_id, event_id)', partition);
                        -- Attaching, unlike creating in place, lets others read and append meanwhile.
                        EXECUTE format(
                            'ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                            partition, lower, lower + size
                        );
                    END IF;
                END IF;
                lower := lower + size;
                EXIT WHEN lower > last;
            END LOOP;
            RETURN lower;
        END
        $function$;
        SELECT make_event_partitions(0, 0);

        -- Deletes rows of trimmed events, at most `step` offsets of each of some streams; returns how many offsets were
        -- done.
        CREATE FUNCTION delete_trimmed(step bigint) RETURNS bigint LANGUAGE plpgsql AS $function$
        DECLARE
            stream record;
            done bigint := 0;
            upto bigint;
        BEGIN
            FOR stream IN
                SELECT id, deleted_before, first_offset FROM streams WHERE deleted_before < first_offset
                ORDER BY id LIMIT 8 FOR NO KEY UPDATE SKIP LOCKED
            LOOP
                upto := least(stream.first_offset, stream.deleted_before + step);
                DELETE FROM events
                WHERE stream_id = stream.id AND "offset" >= stream.deleted_before AND "offset" < upto;
                UPDATE streams SET deleted_before = upto WHERE id = stream.id;
                done := done + upto - stream.deleted_before;
            END LOOP;
            RETURN done;
        END
        $function$;

        -- Whether some stream has or may soon have events in a partition.
        CREATE FUNCTION is_partition_needed(lower bigint, upper bigint) RETURNS boolean LANGUAGE sql AS $function$
            SELECT EXISTS (
                SELECT FROM streams
                WHERE (partition_end = upper AND head < upper) OR (head > lower AND first_offset < upper)
            )
        $function$;

        -- Drops the partitions in which everything was trimmed. Looks again once nobody else can write to them.
        CREATE FUNCTION drop_event_partitions() RETURNS bigint LANGUAGE plpgsql AS $function$
        DECLARE
            size bigint := (SELECT value FROM store_settings WHERE name = 'events_per_partition');
            partition record;
            dropped bigint := 0;
        BEGIN
            FOR partition IN
                SELECT c.relname AS name, substr(c.relname, 8)::bigint AS lower
                FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'events'::regclass
            LOOP
                CONTINUE WHEN is_partition_needed(partition.lower, partition.lower + size);
                EXECUTE format('LOCK TABLE events, %I IN ACCESS EXCLUSIVE MODE', partition.name);
                CONTINUE WHEN is_partition_needed(partition.lower, partition.lower + size);
                EXECUTE format('DROP TABLE %I', partition.name);
                dropped := dropped + 1;
            END LOOP;
            RETURN dropped;
        END
        $function$;

        -- The first offset of a stream from `low` on before which there are at least `excess` bytes.
        CREATE FUNCTION offset_after_bytes(stream bigint, low bigint, high bigint, excess bigint) RETURNS bigint
        LANGUAGE plpgsql STABLE AS $function$
        DECLARE
            event record;
        BEGIN
            FOR event IN
                SELECT coalesce(size, length(event_data)) AS bytes FROM events
                WHERE stream_id = stream AND "offset" >= low AND "offset" < high ORDER BY "offset"
            LOOP
                EXIT WHEN excess <= 0;
                excess := excess - event.bytes;
                low := low + 1;
            END LOOP;
            RETURN low;
        END
        $function$;

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

    /// Subscriptions, their consumers and positions, and what is delivered again or was given up.
    ///
    /// Times that decide are nanoseconds of the server's clock.
    private static let subscriptions = Migration(version: 2, purpose: "Subscriptions and consumers") { _ in
        """
        CREATE TABLE subscriptions (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text COLLATE "C" NOT NULL UNIQUE,
            stream_id bigint NOT NULL REFERENCES streams,
            dead_letter_stream_id bigint NOT NULL REFERENCES streams,
            mode text NOT NULL,
            -- Raised with every change of the subscription or of anything that belongs to it.
            version bigint NOT NULL DEFAULT 0,
            last_key bigint NOT NULL DEFAULT 0,
            -- Of competing consumers, who share them.
            position bigint NOT NULL,
            next bigint NOT NULL,
            missed bigint NOT NULL DEFAULT 0,
            semantics text NOT NULL,
            start_kind text NOT NULL,
            start_value bigint NOT NULL,
            start_event uuid,
            -- The names of the types wanted, as the keys of a JSON object; NULL for all.
            event_types text,
            maximum_attempts bigint NOT NULL,
            initial_delay bigint NOT NULL,
            maximum_delay bigint NOT NULL,
            jitter double precision NOT NULL,
            visibility_timeout bigint NOT NULL,
            consumer_timeout bigint NOT NULL
        ) WITH (fillfactor = 50);
        -- Finds the positions that keep events of an ephemeral stream.
        CREATE INDEX ON subscriptions (stream_id);

        -- Of registrations: each is greater than all before, whatever the subscription.
        CREATE SEQUENCE epochs;

        CREATE TABLE consumer_offsets (
            subscription_id bigint NOT NULL REFERENCES subscriptions,
            consumer text COLLATE "C" NOT NULL,
            kind text NOT NULL,
            epoch bigint NOT NULL,
            is_connected boolean NOT NULL,
            registered_at bigint NOT NULL,
            last_seen_at bigint NOT NULL,
            expires_at bigint NOT NULL,
            position bigint NOT NULL,
            next bigint NOT NULL,
            missed bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (subscription_id, consumer)
        ) WITH (fillfactor = 50);

        -- Leases, and ranges of offsets that wait to be delivered again.
        CREATE TABLE deliveries (
            subscription_id bigint NOT NULL REFERENCES subscriptions,
            key bigint NOT NULL,
            -- Whose position it belongs to; NULL where consumers compete.
            consumer text COLLATE "C",
            -- The epoch of the registration that holds the lease; NULL for what waits.
            holder bigint,
            -- When the lease ends, or when the offsets fall due.
            deadline bigint NOT NULL,
            first_offset bigint NOT NULL,
            end_offset bigint NOT NULL,
            -- Pairs of numbers; NULL where it is everything from first_offset to end_offset.
            scheduled bytea,
            remaining bytea,
            attempts bigint NOT NULL,
            first_failure bigint,
            last_failure bigint,
            reason bytea,
            -- A copy of the event, where it returns from the dead letters.
            redriven bytea,
            PRIMARY KEY (subscription_id, key)
        ) WITH (fillfactor = 80);

        -- The open ones; what they say is in the dead-letter stream.
        CREATE TABLE dead_letters (
            subscription_id bigint NOT NULL REFERENCES subscriptions,
            number bigint NOT NULL,
            consumer text COLLATE "C",
            PRIMARY KEY (subscription_id, number)
        );

        -- Brings a stream up to date with its positions. The stream's row must be locked.
        CREATE FUNCTION settle_stream(stream bigint) RETURNS void LANGUAGE plpgsql AS $function$
        DECLARE
            present streams%ROWTYPE;
            total bigint;
            lowest bigint;
            removed numeric := 0;
        BEGIN
            SELECT * INTO present FROM streams WHERE id = stream;
            SELECT count(*), min(p.position) INTO total, lowest FROM (
                SELECT b.position FROM subscriptions b WHERE b.stream_id = stream AND b.mode = 'exclusive'
                UNION ALL
                SELECT c.position FROM subscriptions b JOIN consumer_offsets c ON c.subscription_id = b.id
                WHERE b.stream_id = stream AND b.mode <> 'exclusive'
            ) p;
            lowest := greatest(present.first_offset, least(coalesce(lowest, present.head), present.head));
            IF present.type = 'persistent' THEN
                lowest := present.first_offset;
            END IF;
            IF lowest = present.first_offset AND total = present.positions THEN
                RETURN;
            END IF;
            IF lowest = present.head THEN
                removed := present.bytes;
            ELSIF lowest > present.first_offset THEN
                SELECT coalesce(sum(coalesce(size, length(event_data))), 0) INTO removed FROM events
                WHERE stream_id = stream AND "offset" >= present.first_offset AND "offset" < lowest;
            END IF;
            UPDATE streams SET positions = total, first_offset = lowest,
                bytes = greatest(0, present.bytes - removed)::bigint
            WHERE id = stream;
        END
        $function$;
        """
    }
}
#endif
