extension Migration {
    /// Keys that wait behind their dead letters.
    ///
    /// `key` is the partition key of a dead letter of a consumer group, and `event` the offset of its event.
    static let order = Migration(
        version: 6,
        sql: """
            ALTER TABLE subscriptions ADD COLUMN keeps_order INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE dead_letters ADD COLUMN key INTEGER;
            ALTER TABLE dead_letters ADD COLUMN event INTEGER;
            CREATE INDEX dead_letters_by_key ON dead_letters (stream, key, event) WHERE key IS NOT NULL;
            """
    )
}
