extension Migration {
    /// Consumer groups.
    ///
    /// `keys` has the partition keys of the events scheduled in a delivery, four bytes each, most significant first.
    static let groups = Migration(
        version: 2,
        sql: """
            ALTER TABLE subscriptions ADD COLUMN partitions INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE subscriptions ADD COLUMN partition_hash TEXT;
            ALTER TABLE deliveries ADD COLUMN keys BLOB;

            CREATE TABLE partitions (
                subscription INTEGER NOT NULL REFERENCES subscriptions (id),
                number INTEGER NOT NULL,
                owner INTEGER,
                epoch INTEGER NOT NULL,
                PRIMARY KEY (subscription, number)
            ) STRICT, WITHOUT ROWID;
            """
    )
}
