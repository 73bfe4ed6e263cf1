#if PostgreSQL
extension Migration {
    /// Consumer groups: their partitions, and the partition keys of what is leased or waits.
    static let groups = Migration(version: 4, purpose: "Consumer groups") { _ in
        """
        -- Into how many partitions a group shares out the events, 0 in other modes; and by which hash.
        ALTER TABLE subscriptions ADD COLUMN partitions bigint NOT NULL DEFAULT 0, ADD COLUMN partition_hash text;
        -- The partition keys of the events scheduled, four bytes each.
        ALTER TABLE deliveries ADD COLUMN keys bytea;

        CREATE TABLE partitions (
            subscription_id bigint NOT NULL REFERENCES subscriptions,
            number bigint NOT NULL,
            -- The epoch of the owner's registration; NULL while the group has no members.
            owner bigint,
            -- Grows with every change of the owner.
            epoch bigint NOT NULL,
            PRIMARY KEY (subscription_id, number)
        ) WITH (fillfactor = 80);

        -- Brings a stream up to date with its positions. The stream's row must be locked.
        CREATE OR REPLACE FUNCTION settle_stream(stream bigint) RETURNS void LANGUAGE plpgsql AS $function$
        DECLARE
            present streams%ROWTYPE;
            total bigint;
            lowest bigint;
            removed numeric := 0;
        BEGIN
            SELECT * INTO present FROM streams WHERE id = stream;
            SELECT count(*), min(p.position) INTO total, lowest FROM (
                SELECT b.position FROM subscriptions b WHERE b.stream_id = stream AND b.mode IN ('exclusive', 'consumerGroup')
                UNION ALL
                SELECT c.position FROM subscriptions b JOIN consumer_offsets c ON c.subscription_id = b.id
                WHERE b.stream_id = stream AND b.mode NOT IN ('exclusive', 'consumerGroup')
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

        DROP FUNCTION change_subscription(
            bigint, tid, bigint, bigint, bigint, bigint, bigint, bigint, boolean, bigint[], text[], text[],
            text[], bigint[], boolean[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[],
            text[], bigint[], bigint[], bigint[], bigint[], bytea[], bytea[], bigint[], bigint[], bigint[],
            bytea[], bytea[]
        );
        -- Writes down what changed, unless the subscription's row is not the one the changes are based on, or the stream
        -- does not begin at `first`, where that is given. Returns where the row is now; NULL when somebody was faster.
        CREATE FUNCTION change_subscription(
            id_ bigint, place tid, version_ bigint, first bigint, last_key_ bigint, position_ bigint, next_ bigint,
            missed_ bigint, is_relaxed boolean, gone_deliveries bigint[], gone_consumers text[],
            consumer_ text[], kind_ text[], epoch_ bigint[], is_connected_ boolean[], registered_at_ bigint[],
            last_seen_at_ bigint[], expires_at_ bigint[], consumer_position bigint[], consumer_next bigint[],
            consumer_missed bigint[],
            key_ bigint[], owner text[], holder_ bigint[], deadline_ bigint[], first_offset_ bigint[],
            end_offset_ bigint[], scheduled_ bytea[], remaining_ bytea[], attempts_ bigint[], first_failure_ bigint[],
            last_failure_ bigint[], reason_ bytea[], redriven_ bytea[], keys_ bytea[],
            partitions_ bigint, partition_ bigint[], partition_owner bigint[], partition_epoch bigint[]
        ) RETURNS tid LANGUAGE plpgsql SET enable_seqscan = off AS $function$
        DECLARE
            new_place tid;
            gone bigint;
        BEGIN
            UPDATE subscriptions SET version = version + 1, last_key = last_key_, position = position_, next = next_,
                missed = missed_, partitions = partitions_
            WHERE ctid = place AND id = id_ AND version = version_
                AND (first IS NULL OR first = (SELECT first_offset FROM streams s WHERE s.id = stream_id))
            RETURNING ctid INTO new_place;
            IF new_place IS NULL THEN
                RETURN NULL;
            END IF;
            IF is_relaxed THEN
                PERFORM set_config('synchronous_commit', 'off', true);
            END IF;
            IF cardinality(gone_consumers) > 0 THEN
                DELETE FROM deliveries
                WHERE subscription_id = id_ AND consumer = ANY (gone_consumers) AND key <> ALL (key_);
                DELETE FROM consumer_offsets
                WHERE subscription_id = id_ AND consumer = ANY (gone_consumers) AND consumer <> ALL (consumer_);
            END IF;
            FOREACH gone IN ARRAY gone_deliveries LOOP
                DELETE FROM deliveries WHERE subscription_id = id_ AND key = gone;
            END LOOP;
            FOR i IN 1..cardinality(consumer_) LOOP
                INSERT INTO consumer_offsets (
                    subscription_id, consumer, kind, epoch, is_connected, registered_at, last_seen_at, expires_at,
                    position, next, missed
                ) VALUES (
                    id_, consumer_[i], kind_[i], epoch_[i], is_connected_[i], registered_at_[i], last_seen_at_[i],
                    expires_at_[i], consumer_position[i], consumer_next[i], consumer_missed[i]
                )
                ON CONFLICT (subscription_id, consumer) DO UPDATE SET
                    kind = excluded.kind, epoch = excluded.epoch, is_connected = excluded.is_connected,
                    registered_at = excluded.registered_at, last_seen_at = excluded.last_seen_at,
                    expires_at = excluded.expires_at, position = excluded.position, next = excluded.next,
                    missed = excluded.missed;
            END LOOP;
            FOR i IN 1..cardinality(key_) LOOP
                INSERT INTO deliveries (
                    subscription_id, key, consumer, holder, deadline, first_offset, end_offset, scheduled, remaining,
                    attempts, first_failure, last_failure, reason, redriven, keys
                ) VALUES (
                    id_, key_[i], owner[i], holder_[i], deadline_[i], first_offset_[i], end_offset_[i], scheduled_[i],
                    remaining_[i], attempts_[i], first_failure_[i], last_failure_[i], reason_[i], redriven_[i], keys_[i]
                )
                ON CONFLICT (subscription_id, key) DO UPDATE SET
                    holder = excluded.holder, deadline = excluded.deadline, first_offset = excluded.first_offset,
                    end_offset = excluded.end_offset, scheduled = excluded.scheduled, remaining = excluded.remaining,
                    attempts = excluded.attempts, first_failure = excluded.first_failure,
                    last_failure = excluded.last_failure, reason = excluded.reason, redriven = excluded.redriven,
                    keys = excluded.keys;
            END LOOP;
            IF cardinality(partition_) > 0 THEN
                DELETE FROM partitions WHERE subscription_id = id_ AND number >= partitions_;
            END IF;
            FOR i IN 1..cardinality(partition_) LOOP
                INSERT INTO partitions (subscription_id, number, owner, epoch)
                VALUES (id_, partition_[i], partition_owner[i], partition_epoch[i])
                ON CONFLICT (subscription_id, number) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch;
            END LOOP;
            RETURN new_place;
        END
        $function$;
        """
    }
}
#endif
