/// What becomes of an event that a user did not read in time.
public enum UnreadPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    /// Deliver it to the user again, until the attempts of the ``RetryPolicy`` are used up; then as ``deadLetter``.
    case requeue
    /// Put it into the dead-letter stream. From there it can be redriven to the user.
    case deadLetter
    /// Give it up.
    case drop
}
