import EventStreaming

extension Summary {
    /// Every subscription of this service, with the stream it follows.
    static let subscriptions = [
        (Subscriptions.userAnalytics, UserWorkflow.streamName),
        (Subscriptions.invitationAnalytics, InvitationWorkflow.streamName),
        (Subscriptions.mail, InvitationWorkflow.streamName),
        (Subscriptions.audit, UserWorkflow.streamName),
    ]

    /// The stream that a subscription follows.
    static func stream(of subscription: String) -> String? {
        subscriptions.first { $0.0 == subscription }?.1
    }

    /// Reads what the streams and the dead letters say, and holds it against what the consumers saw.
    init(of streaming: EventStreaming, ledger: Ledger) async throws {
        var heads: [String: Int] = [:]
        for stream in Set(Self.subscriptions.map(\.1)) {
            let beginning = ledger.beginning(of: stream)
            heads[stream] = beginning.distance(to: try await streaming.metadata(of: stream).head)
        }
        var sources: [Source] = []
        for (subscription, stream) in Self.subscriptions {
            sources.append(
                Source(
                    subscription: subscription,
                    stream: stream,
                    tally: ledger.tally(of: subscription),
                    deadLetters: try await Self.deadLetters(
                        of: subscription,
                        from: ledger.beginning(of: stream),
                        in: streaming
                    )
                )
            )
        }
        self.init(heads: heads, accepted: ledger.accepted, sources: sources)
    }

    /// The events from `beginning` on that a subscription gave up.
    static func deadLetters(
        of subscription: String,
        from beginning: StreamOffset,
        in streaming: EventStreaming
    ) async throws -> Set<MessageID> {
        var ids: Set<MessageID> = []
        var next = StreamOffset.zero
        while true {
            let page = try await streaming.deadLetters(of: subscription, from: next, limit: 1000)
            guard let last = page.last else { return ids }
            ids.formUnion(page.filter { beginning <= $0.event.offset }.map(\.event.id))
            next = last.number.advanced(by: 1)
        }
    }
}
