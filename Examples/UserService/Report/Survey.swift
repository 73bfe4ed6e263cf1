import EventStreaming

/// Reads at the end what streams, subscriptions, dead letters, receipts and charges say, and holds it against what the
/// consumers saw.
struct Survey: Sendable {
    let streaming: EventStreaming
    let ledger: Ledger
    let book: ChargeBook
    /// The names of those who get notifications.
    let admins: [String]
    /// Whether the members of the analytics group are in this process. What others do cannot be judged by what was seen here.
    let seesAnalytics: Bool

    func summary() async throws -> Summary {
        let users = try await events(of: UserWorkflow.streamName)
        let charges = try await book.charges()
        let notifications = new(users).filter { $0.type.name == UserRemoved.eventType }.map(\.id)
        let analytics = ledger.tally(of: Subscriptions.analytics)
        return Summary(
            heads: try await heads(),
            accepted: ledger.accepted,
            sources: try await sources(charged: Tally(of: charges, for: new(users).map(\.id)))
                + notifiedSources(expecting: notifications.count),
            members: MemberEntry.all(try await streaming.partitions(of: Subscriptions.analytics), analytics),
            admins: try await adminEntries(for: notifications),
            disordered: analytics.disordered,
            charges: ChargeCheck(events: users.map(\.id), charges: charges)
        )
    }

    // MARK: - Streams

    private typealias EventMark = (id: MessageID, offset: StreamOffset, type: EventType)

    /// How many events were appended, by stream.
    private func heads() async throws -> [String: Int] {
        var heads: [String: Int] = [:]
        for stream in Set(Subscriptions.streams.map(\.stream)) {
            heads[stream] = ledger.beginning(of: stream).distance(to: try await streaming.metadata(of: stream).head)
        }
        return heads
    }

    /// All events of a stream that keeps them, from its beginning on.
    private func events(of stream: String) async throws -> [EventMark] {
        var events: [EventMark] = []
        while true {
            let next = events.last?.offset.advanced(by: 1) ?? .zero
            let page = try await streaming.read(stream, from: next, limit: 1000)
            guard !page.isEmpty else { return events }
            events += page.map { ($0.id, $0.offset, $0.type) }
        }
    }

    private func new(_ users: [EventMark]) -> [EventMark] {
        let beginning = ledger.beginning(of: UserWorkflow.streamName)
        return users.filter { beginning <= $0.offset }
    }

    // MARK: - Subscriptions

    /// What is known of the subscriptions in which each event is for one consumer, or for one of several.
    private func sources(charged: Tally) async throws -> [Summary.Source] {
        var sources: [Summary.Source] = []
        for (subscription, stream) in Subscriptions.streams where subscription != Subscriptions.adminNotifications {
            if subscription == Subscriptions.analytics, !seesAnalytics { continue }
            let beginning = ledger.beginning(of: stream)
            sources.append(
                Summary.Source(
                    subscription: subscription,
                    stream: stream,
                    tally: subscription == Subscriptions.billing ? charged : ledger.tally(of: subscription),
                    deadLetters: try await streaming.givenUp(by: subscription, from: beginning)
                )
            )
        }
        return sources
    }

    // MARK: - Admins

    /// What is known of each admin, who all get every notification. One that was given up was delivered before.
    private func notifiedSources(expecting count: Int) -> [Summary.Source] {
        admins.map { Subscriptions.notifications(to: $0) }.map { name in
            Summary.Source(
                subscription: name,
                stream: UserWorkflow.streamName,
                tally: ledger.tally(of: name),
                deadLetters: [],
                expected: count
            )
        }
    }

    /// Asks for every notification who has read it.
    private func adminEntries(for notifications: [MessageID]) async throws -> [AdminEntry] {
        var statuses: [String: [ReadReceipt.Status]] = [:]
        for event in notifications {
            for receipt in try await streaming.receipts(for: event, in: Subscriptions.adminNotifications) {
                statuses[receipt.consumer.rawValue, default: []].append(receipt.status)
            }
        }
        return admins.map { name in
            let reminders = ledger.tally(of: Subscriptions.notifications(to: name)).repeated
            return AdminEntry(admin: name, reminders: reminders, statuses[name] ?? [])
        }
    }
}

extension EventStreaming {
    /// The events from `beginning` on that a subscription gave up.
    func givenUp(by subscription: String, from beginning: StreamOffset) async throws -> Set<MessageID> {
        var ids: Set<MessageID> = []
        var next = StreamOffset.zero
        while true {
            let page = try await deadLetters(of: subscription, from: next, limit: 1000)
            guard let last = page.last else { return ids }
            ids.formUnion(page.filter { beginning <= $0.event.offset }.map(\.event.id))
            next = last.number.advanced(by: 1)
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
