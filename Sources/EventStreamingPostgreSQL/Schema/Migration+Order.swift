#if PostgreSQL
extension Migration {
    /// Keys that wait behind their dead letters.
    static let order = Migration(version: 8, purpose: "Order behind dead letters") { _ in
        """
        ALTER TABLE subscriptions ADD COLUMN keeps_order boolean NOT NULL DEFAULT false;
        -- The partition key of a dead letter of a consumer group, and the offset of its event.
        ALTER TABLE dead_letters ADD COLUMN partition_key bigint, ADD COLUMN event_offset bigint;
        CREATE INDEX ON dead_letters (subscription_id, partition_key, event_offset, number)
            WHERE partition_key IS NOT NULL;
        """
    }
}
#endif
