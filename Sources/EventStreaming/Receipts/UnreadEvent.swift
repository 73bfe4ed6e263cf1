public import EventStreamingCore

/// An event that was delivered to a user, who has not read it yet.
public struct UnreadEvent: Sendable {
    /// The event as its stream keeps it: id, offset, time, correlation, headers.
    public let record: StoredEvent
    /// When it was delivered last.
    public let deliveredAt: Timestamp
    /// How often it was delivered.
    public let deliveries: Int
    /// Whether it was unread for too long, and waits to be delivered again.
    public let isRequeued: Bool
    private let engine: Engine

    init(_ record: StoredEvent, _ receipt: ReadReceipt, engine: Engine) {
        self.record = record
        self.engine = engine
        deliveredAt = receipt.deliveredAt
        deliveries = receipt.deliveries
        isRequeued = receipt.status == .requeued
    }

    /// The event itself. Where the store keeps bytes it is decoded here, each time, so that events nobody looks at cost
    /// nothing.
    ///
    /// - Throws: `EventStreamingError` with code `unknownEventType` or `decodingFailed`; the others can be shown
    ///   nevertheless.
    public var event: any Event {
        get throws(EventStreamingError) { try engine.event(of: record) }
    }

    /// The event's id, to mark it as read by.
    public var id: MessageID { record.id }
    /// The offset in the stream.
    public var offset: StreamOffset { record.offset }
    /// The workflow in which the event was emitted: the correlation id. `nil` for an event outside any.
    public var workflowID: WorkflowID? { record.correlationID }
}
