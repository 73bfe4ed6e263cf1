package import EventStreamingCore

/// What a subscription has to know of its stream in order to hand out events.
package protocol SubscriptionLog {
    /// The offset the next event gets.
    var head: Int64 { get }

    /// The type of the event at an offset that the stream keeps. Asked only where there is a filter.
    ///
    /// - Throws: what reading throws. What was being changed is then of no use any more, and must be restored.
    func type(at offset: Int64) throws(EventStreamingError) -> EventType

    /// The partition key of the event at an offset that the stream keeps. Asked only for consumer groups.
    ///
    /// - Throws: as ``type(at:)``.
    func key(at offset: Int64) throws(EventStreamingError) -> PartitionKey
}
