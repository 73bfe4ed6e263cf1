import EventStreaming

extension Summary {
    /// Every subscription of this service, with the stream it follows.
    static let subscriptions = [
        (Subscriptions.userAnalytics, UserWorkflow.streamName),
        (Subscriptions.invitationAnalytics, InvitationWorkflow.streamName),
        (Subscriptions.mail, InvitationWorkflow.streamName),
        (Subscriptions.audit, UserWorkflow.streamName),
    ]

    /// Reads what the streams and the dead letters say, and holds it against what the consumers saw.
    init(of streaming: EventStreaming, ledger: Ledger) async throws {
        var heads: [String: Int] = [:]
        for stream in Set(Self.subscriptions.map(\.1)) {
            heads[stream] = StreamOffset.zero.distance(to: try await streaming.metadata(of: stream).head)
        }
        var sources: [Source] = []
        for (subscription, stream) in Self.subscriptions {
            sources.append(
                Source(
                    subscription: subscription,
                    stream: stream,
                    tally: ledger.tally(of: subscription),
                    deadLetters: try await Self.deadLetters(of: subscription, in: streaming)
                )
            )
        }
        self.init(heads: heads, accepted: ledger.accepted, sources: sources)
    }

    private static func deadLetters(
        of subscription: String,
        in streaming: EventStreaming
    ) async throws -> Set<MessageID> {
        var ids: Set<MessageID> = []
        var next = StreamOffset.zero
        while true {
            let page = try await streaming.deadLetters(of: subscription, from: next, limit: 1000)
            guard let last = page.last else { return ids }
            ids.formUnion(page.map(\.event.id))
            next = last.number.advanced(by: 1)
        }
    }
}
