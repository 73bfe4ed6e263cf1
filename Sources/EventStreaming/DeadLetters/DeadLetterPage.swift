public import EventStreamingCore

/// Some of the dead letters that a filter matches.
public struct DeadLetterPage: Sendable {
    /// The dead letters, in order.
    public let letters: [DeadLetter]
    /// Where the next page begins; `nil` when there is nothing more to look at. A page may be short, or empty, and not be
    /// the last: only so many dead letters are looked at for one.
    public let next: StreamOffset?

    /// Creates a page.
    public init(letters: [DeadLetter], next: StreamOffset?) {
        self.letters = letters
        self.next = next
    }
}
