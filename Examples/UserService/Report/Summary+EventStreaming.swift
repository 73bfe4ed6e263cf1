import EventStreaming

extension Summary {
    /// Every subscription of this service, with the stream it follows.
    static let subscriptions = [
        (Subscriptions.analytics, UserWorkflow.streamName),
        (Subscriptions.billing, UserWorkflow.streamName),
        (Subscriptions.invitationAnalytics, InvitationWorkflow.streamName),
        (Subscriptions.mail, InvitationWorkflow.streamName),
        (Subscriptions.audit, UserWorkflow.streamName),
    ]

    /// The stream that a subscription follows.
    static func stream(of subscription: String) -> String? {
        subscriptions.first { $0.0 == subscription }?.1
    }

    /// Reads what the streams, the dead letters and the charges say, and holds it against what the consumers saw.
    ///
    /// - Parameter seesAnalytics: Whether the members of the analytics group are in this process. What others do cannot be
    ///   judged by what was seen here.
    init(of streaming: EventStreaming, ledger: Ledger, book: ChargeBook, seesAnalytics: Bool) async throws {
        var heads: [String: Int] = [:]
        for stream in Set(Self.subscriptions.map(\.1)) {
            let beginning = ledger.beginning(of: stream)
            heads[stream] = beginning.distance(to: try await streaming.metadata(of: stream).head)
        }
        let users = try await Self.events(of: UserWorkflow.streamName, in: streaming)
        let charges = try await book.charges()
        var sources: [Source] = []
        for (subscription, stream) in Self.subscriptions
        where seesAnalytics || subscription != Subscriptions.analytics {
            let beginning = ledger.beginning(of: stream)
            let tally =
                if subscription == Subscriptions.billing {
                    Tally(of: charges, for: users.filter { beginning <= $0.offset }.map(\.id))
                } else {
                    ledger.tally(of: subscription)
                }
            let deadLetters = try await Self.deadLetters(of: subscription, from: beginning, in: streaming)
            sources.append(
                Source(subscription: subscription, stream: stream, tally: tally, deadLetters: deadLetters))
        }
        let analytics = ledger.tally(of: Subscriptions.analytics)
        self.init(
            heads: heads,
            accepted: ledger.accepted,
            sources: sources,
            members: MemberEntry.all(try await streaming.partitions(of: Subscriptions.analytics), analytics),
            disordered: analytics.disordered,
            charges: ChargeCheck(events: users.map(\.id), charges: charges)
        )
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

    /// All events of a stream that keeps them, from its beginning on.
    private static func events(
        of stream: String,
        in streaming: EventStreaming
    ) async throws -> [(id: MessageID, offset: StreamOffset)] {
        var events: [(id: MessageID, offset: StreamOffset)] = []
        while true {
            let next = events.last?.offset.advanced(by: 1) ?? .zero
            let page = try await streaming.read(stream, from: next, limit: 1000)
            guard !page.isEmpty else { return events }
            events += page.map { (id: $0.id, offset: $0.offset) }
        }
    }
}

extension Tally {
    /// What the rows of charges tell about some events: whoever wrote a row has finished the event.
    fileprivate init(of charges: [SeatCharge], for events: [MessageID]) {
        let rows = Dictionary(charges.map { ($0.event, 1) }, uniquingKeysWith: +)
        let counts = events.map { rows[$0.description, default: 0] }
        self.init(
            finished: Set(zip(events, counts).filter { $0.1 > 0 }.map(\.0)),
            repeated: counts.reduce(0) { $0 + max(0, $1 - 1) }
        )
    }
}
