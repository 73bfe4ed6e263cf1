import EventStreaming

/// Replays everything that ever happened to users: subscribes late, and begins at the beginning.
struct Auditor: ConsumerLoop {
    let streaming: EventStreaming
    let journal: Journal

    /// Reads up to what is the end of the stream now.
    func run() async throws {
        let head = try await streaming.metadata(of: UserWorkflow.streamName).head
        // Where an earlier run has left off; a new auditor begins at the beginning.
        let position = try await streaming.progress(of: Subscriptions.audit).map(\.position).max() ?? .zero
        guard position < head else { return }
        let last = head.advanced(by: -1)
        try await streaming.withSubscription(to: Subscriptions.audit, as: "auditor") { deliveries in
            for try await delivery in deliveries {
                try await delivery.acknowledge()
                journal.finished(delivery)
                if delivery.record.offset >= last { return }
            }
        }
    }
}
