import EventStreaming

/// An event that a consumer of this program finished.
struct Sighting {
    let event: MessageID
    let offset: StreamOffset
    var workflow: WorkflowID?
    let stream: String
    let subscription: String
    let consumer: String
}

extension Sighting {
    /// - Parameters:
    ///   - stream: The stream that the delivery's subscription follows.
    ///   - name: Under which name it is counted; by default the subscription's.
    init(_ delivery: Delivery, in stream: String, as name: String? = nil) {
        self.init(
            event: delivery.record.id,
            offset: delivery.record.offset,
            workflow: delivery.workflowID,
            stream: stream,
            subscription: name ?? delivery.subscription.rawValue,
            consumer: delivery.consumerID.rawValue
        )
    }
}
