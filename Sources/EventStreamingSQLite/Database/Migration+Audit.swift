extension Migration {
    /// What was done with dead letters: who, when and why.
    ///
    /// `dead_letter` is a number of the dead-letter stream; its record may be trimmed, the entry stays.
    static let audit = Migration(
        version: 5,
        sql: """
            CREATE TABLE dead_letter_audit (
                number INTEGER PRIMARY KEY AUTOINCREMENT,
                subscription INTEGER NOT NULL REFERENCES subscriptions (id),
                action TEXT NOT NULL,
                dead_letter INTEGER NOT NULL,
                event_id BLOB NOT NULL,
                consumer TEXT,
                actor TEXT NOT NULL,
                reason TEXT NOT NULL,
                acted INTEGER NOT NULL
            ) STRICT;

            CREATE INDEX dead_letter_audit_by_subscription ON dead_letter_audit (subscription, number);
            """
    )
}
