package import EventStreamingCore

extension DeadLetter {
    /// What is written into the audit when something is done with the dead letter.
    ///
    /// - Parameter number: The place in the audit.
    package func auditEntry(
        number: Int64,
        _ action: DeadLetterAuditEntry.Action,
        _ note: AuditNote,
        at time: Timestamp
    ) -> DeadLetterAuditEntry {
        DeadLetterAuditEntry(
            number: number,
            action: action,
            deadLetter: self.number,
            event: event.id,
            subscription: subscription,
            consumer: consumer,
            note: note,
            time: time
        )
    }
}
