extension Migration {
    /// What users were given and have read.
    ///
    /// A row stands for neighbouring events with one state: 1 delivered, 2 waiting to be delivered again, 3 read, 4 given up
    /// unread. Rows of a user do not overlap. The index has what may become overdue.
    static let receipts = Migration(
        version: 4,
        sql: """
            CREATE TABLE read_receipts (
                subscription INTEGER NOT NULL REFERENCES subscriptions (id),
                consumer TEXT NOT NULL,
                first_offset INTEGER NOT NULL,
                end_offset INTEGER NOT NULL,
                status INTEGER NOT NULL,
                delivered_at INTEGER NOT NULL,
                read_at INTEGER,
                deliveries INTEGER NOT NULL,
                PRIMARY KEY (subscription, consumer, first_offset)
            ) STRICT, WITHOUT ROWID;

            CREATE INDEX read_receipts_unread ON read_receipts (subscription, delivered_at, consumer, first_offset)
            WHERE status = 1;
            """
    )
}
