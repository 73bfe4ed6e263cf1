/// Limits of the store that callers cannot change.
package enum Limits {
    /// The most events in one lease, whatever was asked for; bounds the time under the lock and the size of a
    /// lease's books.
    package static let eventsPerLease = 4096
    /// How many ranges may wait for their redelivery at one position before new events are held back. Without this
    /// bound a consumer that rejects everything would run through the stream and collect all of it.
    package static let waitingRanges = 10_000
    /// How many events of a consumer group may wait for a member, or for their time, before no new ones are looked at: so
    /// far may the slowest partition be behind the fastest.
    package static let waitingGroupEvents = 8192
    /// Into how many partitions a consumer group may share out its events.
    package static let partitions = 1024
    /// How many events that do not match the filter are passed over for each event asked for, once something was
    /// found: an answer now is better than a full one later.
    package static let scanPerEvent = 64
    /// How many events are looked at in one go under the lock while nothing was found.
    package static let scanPerTurn = 16_384
    /// How many expired consumers are remembered until somebody asks which expired; the oldest are forgotten first.
    package static let rememberedExpirations = 10_000
    /// How many events may expire unread in one call: they may have to be read, and all of it is one transaction.
    package static let unreadEventsPerExpiry = 10_000
    /// The longest time that a lease or a consumer without a sign of life may last.
    package static let longestTimeout = Duration.seconds(365 * 86_400)
}
