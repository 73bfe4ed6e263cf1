#if PostgreSQL
extension Migration {
    /// What users were given and have read.
    ///
    /// The last change is for many users: each has a position, and only an ephemeral stream has to know them all.
    static let receipts = Migration(version: 6, purpose: "Read receipts") { _ in
        """
        -- A row stands for neighbouring events with one state; those of a user do not overlap.
        CREATE TABLE read_receipts (
            -- No reference: it would lock the subscription's row, which everybody needs, for each mark.
            subscription_id bigint NOT NULL,
            first_offset bigint NOT NULL,
            end_offset bigint NOT NULL,
            -- Nanoseconds since 1970.
            delivered_at bigint NOT NULL,
            read_at bigint,
            deliveries integer NOT NULL,
            -- 1 delivered, 2 waiting to be delivered again, 3 read, 4 given up unread.
            status smallint NOT NULL CHECK (status BETWEEN 1 AND 4),
            consumer text COLLATE "C" NOT NULL,
            PRIMARY KEY (subscription_id, consumer, first_offset)
        ) WITH (fillfactor = 80);
        -- Finds what may be overdue.
        CREATE INDEX read_receipts_unread ON read_receipts (subscription_id, delivered_at, consumer, first_offset)
            WHERE status = 1;

        -- Brings a stream up to date with its positions. The stream's row must be locked.
        CREATE OR REPLACE FUNCTION settle_stream(stream bigint) RETURNS void LANGUAGE plpgsql AS $function$
        DECLARE
            present streams%ROWTYPE;
            total bigint;
            lowest bigint;
            removed numeric := 0;
        BEGIN
            SELECT * INTO present FROM streams WHERE id = stream;
            IF present.type = 'persistent' THEN
                -- Whether there is one at all is enough here.
                total := (
                    EXISTS (
                        SELECT FROM subscriptions b
                        WHERE b.stream_id = stream AND b.mode IN ('exclusive', 'consumerGroup')
                    ) OR EXISTS (
                        SELECT FROM subscriptions b JOIN consumer_offsets c ON c.subscription_id = b.id
                        WHERE b.stream_id = stream AND b.mode NOT IN ('exclusive', 'consumerGroup')
                    )
                )::integer;
                IF total <> present.positions THEN
                    UPDATE streams SET positions = total WHERE id = stream;
                END IF;
                RETURN;
            END IF;
            SELECT count(*), min(p.position) INTO total, lowest FROM (
                SELECT b.position FROM subscriptions b WHERE b.stream_id = stream AND b.mode IN ('exclusive', 'consumerGroup')
                UNION ALL
                SELECT c.position FROM subscriptions b JOIN consumer_offsets c ON c.subscription_id = b.id
                WHERE b.stream_id = stream AND b.mode NOT IN ('exclusive', 'consumerGroup')
            ) p;
            lowest := greatest(present.first_offset, least(coalesce(lowest, present.head), present.head));
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
