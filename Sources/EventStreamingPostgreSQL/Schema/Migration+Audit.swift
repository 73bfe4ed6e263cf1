#if PostgreSQL
extension Migration {
    /// What was done with dead letters: who, when and why.
    ///
    /// Entries are made while the subscription's row is locked, so that within a subscription their numbers ascend in the
    /// order of the changes.
    static let audit = Migration(version: 7, purpose: "Audit of dead letters") { _ in
        """
        CREATE TABLE dead_letter_audit (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            subscription_id bigint NOT NULL REFERENCES subscriptions,
            action text NOT NULL,
            -- A number of the dead-letter stream; its record may be trimmed, the entry stays.
            dead_letter bigint NOT NULL,
            event_id uuid NOT NULL,
            consumer text COLLATE "C",
            actor text NOT NULL,
            reason text NOT NULL,
            -- Nanoseconds since 1970.
            acted_at bigint NOT NULL
        );
        CREATE INDEX ON dead_letter_audit (subscription_id, number);
        """
    }
}
#endif
