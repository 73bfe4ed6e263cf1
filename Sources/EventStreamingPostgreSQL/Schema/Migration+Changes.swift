#if PostgreSQL
extension Migration {
    /// The way in which subscriptions are changed, as one call.
    ///
    /// A function, because a statement that changes three tables takes twice as long to begin as three statements whose
    /// plans are kept. Row by row and each by its key: the tables are small, but have many dead rows between two vacuums,
    /// and what looks for an array of keys, or reads all of a table that was empty when the plan was made, takes longer
    /// with every one of them.
    static let changes = Migration(version: 3, purpose: "Changes of subscriptions in one call") { _ in
        """
        -- A subscription is never removed, so this has nothing to find, for each lease.
        ALTER TABLE deliveries DROP CONSTRAINT deliveries_subscription_id_fkey;

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
            last_failure_ bigint[], reason_ bytea[], redriven_ bytea[]
        ) RETURNS tid LANGUAGE plpgsql SET enable_seqscan = off AS $function$
        DECLARE
            new_place tid;
            gone bigint;
        BEGIN
            UPDATE subscriptions SET version = version + 1, last_key = last_key_, position = position_, next = next_,
                missed = missed_
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
                    attempts, first_failure, last_failure, reason, redriven
                ) VALUES (
                    id_, key_[i], owner[i], holder_[i], deadline_[i], first_offset_[i], end_offset_[i], scheduled_[i],
                    remaining_[i], attempts_[i], first_failure_[i], last_failure_[i], reason_[i], redriven_[i]
                )
                ON CONFLICT (subscription_id, key) DO UPDATE SET
                    holder = excluded.holder, deadline = excluded.deadline, first_offset = excluded.first_offset,
                    end_offset = excluded.end_offset, scheduled = excluded.scheduled, remaining = excluded.remaining,
                    attempts = excluded.attempts, first_failure = excluded.first_failure,
                    last_failure = excluded.last_failure, reason = excluded.reason, redriven = excluded.redriven;
            END LOOP;
            RETURN new_place;
        END
        $function$;
        """
    }
}
#endif
