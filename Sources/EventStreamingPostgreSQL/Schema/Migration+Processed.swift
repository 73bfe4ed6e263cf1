#if PostgreSQL
extension Migration {
    /// Which events were processed, and who keeps others from processing them.
    ///
    /// Marks are found by their events. For their age there is only a summary of blocks: they come in order of time, and
    /// nobody looks for the old ones but who removes them. Locks need not outlast a crash of the server, so their table is
    /// not logged, and taking one waits for no disk.
    static let processed = Migration(version: 5, purpose: "Marks of processed events, and locks") { _ in
        """
        CREATE TABLE processors (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text COLLATE "C" NOT NULL UNIQUE
        );

        CREATE TABLE processed_events (
            consumer_id bigint NOT NULL,
            event_id uuid NOT NULL,
            -- Nanoseconds since 1970.
            processed_at bigint NOT NULL,
            PRIMARY KEY (consumer_id, event_id)
        );
        CREATE INDEX processed_events_by_time ON processed_events USING brin (processed_at)
            WITH (pages_per_range = 32, autosummarize = on);

        -- Locks of one key exclude each other where their offsets overlap.
        CREATE UNLOGGED TABLE idempotency_locks (
            lock_key text COLLATE "C" NOT NULL,
            first_offset bigint NOT NULL,
            end_offset bigint NOT NULL,
            token bigint NOT NULL,
            -- Nanoseconds of the clock that decides: that of the server, unless the store was told otherwise.
            acquired_at bigint NOT NULL,
            expires_at bigint NOT NULL,
            PRIMARY KEY (lock_key, first_offset)
        );

        -- Returns the events that were not marked before.
        CREATE FUNCTION mark_processed(processor_ text, events_ uuid[], at_ bigint) RETURNS SETOF uuid
        LANGUAGE plpgsql SET enable_seqscan = off AS $function$
        DECLARE
            number bigint;
        BEGIN
            SELECT id INTO number FROM processors WHERE name = processor_;
            IF number IS NULL THEN
                INSERT INTO processors (name) VALUES (processor_) ON CONFLICT (name) DO NOTHING;
                SELECT id INTO number FROM processors WHERE name = processor_;
            END IF;
            -- In order: the same for everybody, so that nobody waits in a circle.
            RETURN QUERY INSERT INTO processed_events (consumer_id, event_id, processed_at)
                SELECT number, e, at_ FROM unnest(events_) e ORDER BY e
                ON CONFLICT DO NOTHING RETURNING event_id;
        END
        $function$;

        CREATE FUNCTION find_processed(processor_ text, events_ uuid[]) RETURNS SETOF uuid
        LANGUAGE plpgsql SET enable_seqscan = off AS $function$
        DECLARE
            number bigint;
        BEGIN
            SELECT id INTO number FROM processors WHERE name = processor_;
            RETURN QUERY SELECT event_id FROM processed_events
                WHERE consumer_id = number AND event_id = ANY (events_);
        END
        $function$;

        -- Removes marks; all of the processor without events.
        CREATE FUNCTION forget_processed(processor_ text, events_ uuid[]) RETURNS bigint
        LANGUAGE plpgsql SET enable_seqscan = off AS $function$
        DECLARE
            number bigint;
            removed bigint;
        BEGIN
            SELECT id INTO number FROM processors WHERE name = processor_;
            DELETE FROM processed_events
            WHERE consumer_id = number AND (events_ IS NULL OR event_id = ANY (events_));
            GET DIAGNOSTICS removed = ROW_COUNT;
            RETURN removed;
        END
        $function$;

        -- What belongs to a change of a subscription: marks, and locks that are given back. `ends` says where the events of
        -- each processor end. Does nothing where the subscription was not changed, and returns where its row is now.
        CREATE FUNCTION mark_settled(
            place tid, processors_ text[], ends bigint[], events_ uuid[], at_ bigint,
            keys text[], firsts bigint[], tokens bigint[]
        ) RETURNS tid LANGUAGE plpgsql AS $function$
        DECLARE
            begin_ bigint := 1;
        BEGIN
            IF place IS NULL THEN
                RETURN NULL;
            END IF;
            FOR i IN 1..cardinality(processors_) LOOP
                PERFORM mark_processed(processors_[i], events_[begin_:ends[i]], at_);
                begin_ := ends[i] + 1;
            END LOOP;
            FOR i IN 1..cardinality(keys) LOOP
                DELETE FROM idempotency_locks
                WHERE lock_key = keys[i] AND first_offset = firsts[i] AND token = tokens[i];
            END LOOP;
            RETURN place;
        END
        $function$;

        CREATE FUNCTION lock_moment(now_ bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $function$
            SELECT coalesce(now_, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000)
        $function$;

        -- Returns the positions of the keys that were taken. Keys come in order of their names.
        CREATE FUNCTION acquire_locks(
            keys text[], firsts bigint[], ends bigint[], token_ bigint, duration_ bigint, now_ bigint
        ) RETURNS SETOF bigint LANGUAGE plpgsql SET enable_seqscan = off AS $function$
        DECLARE
            moment bigint;
        BEGIN
            FOR i IN 1..cardinality(keys) LOOP
                PERFORM pg_advisory_xact_lock(hashtextextended('event streaming lock ' || keys[i], 0));
                moment := lock_moment(now_);
                DELETE FROM idempotency_locks
                WHERE lock_key = keys[i] AND first_offset < ends[i] AND end_offset > firsts[i]
                    AND expires_at <= moment;
                IF NOT EXISTS (
                    SELECT FROM idempotency_locks
                    WHERE lock_key = keys[i] AND first_offset < ends[i] AND end_offset > firsts[i]
                ) THEN
                    INSERT INTO idempotency_locks (
                        lock_key, first_offset, end_offset, token, acquired_at, expires_at
                    ) VALUES (keys[i], firsts[i], ends[i], token_, moment, moment + duration_);
                    RETURN NEXT i;
                END IF;
            END LOOP;
        END
        $function$;

        -- Returns nothing where the lock is taken; otherwise NULL and the events that were processed.
        CREATE FUNCTION claim_events(
            key_ text, first_ bigint, end_ bigint, token_ bigint, duration_ bigint, now_ bigint,
            processor_ text, events_ uuid[]
        ) RETURNS SETOF uuid LANGUAGE plpgsql AS $function$
        BEGIN
            PERFORM acquire_locks(ARRAY[key_], ARRAY[first_], ARRAY[end_], token_, duration_, now_);
            IF NOT FOUND THEN
                RETURN;
            END IF;
            RETURN NEXT NULL;
            RETURN QUERY SELECT find_processed(processor_, events_);
        END
        $function$;

        -- Returns how many of the locks were still held.
        CREATE FUNCTION release_locks(keys text[], firsts bigint[], tokens bigint[], now_ bigint) RETURNS bigint
        LANGUAGE plpgsql SET enable_seqscan = off AS $function$
        DECLARE
            expiry bigint;
            released bigint := 0;
        BEGIN
            FOR i IN 1..cardinality(keys) LOOP
                DELETE FROM idempotency_locks
                WHERE lock_key = keys[i] AND first_offset = firsts[i] AND token = tokens[i]
                RETURNING expires_at INTO expiry;
                IF FOUND AND expiry > lock_moment(now_) THEN
                    released := released + 1;
                END IF;
            END LOOP;
            RETURN released;
        END
        $function$;

        -- Removes at most so many marks and locks. Rows that somebody else is removing are passed over.
        CREATE FUNCTION clean_processed(
            before bigint, limit_ bigint, now_ bigint, OUT marks bigint, OUT locks bigint
        ) LANGUAGE plpgsql SET enable_seqscan = off AS $function$
        BEGIN
            DELETE FROM processed_events WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM processed_events WHERE processed_at < before LIMIT limit_ FOR UPDATE SKIP LOCKED
            ));
            GET DIAGNOSTICS marks = ROW_COUNT;
            DELETE FROM idempotency_locks WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM idempotency_locks WHERE expires_at <= lock_moment(now_) LIMIT limit_
                FOR UPDATE SKIP LOCKED
            ));
            GET DIAGNOSTICS locks = ROW_COUNT;
        END
        $function$;
        """
    }
}
#endif
