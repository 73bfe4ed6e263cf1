import EventStreamingInMemory
import EventStreamingTesting

@testable import EventStreaming

/// A service whose subscription `notes` shows orders to users and remembers what they have read.
func makeNotes(
    storage: EventStreamingStorage = .inMemory,
    clock: any EventStreamingClock = SystemClock(),
    notes: (inout SubscriptionConfiguration) throws -> Void = { _ in },
    also configure: (inout EventStreamingBuilder) throws -> Void = { _ in }
) throws -> EventStreaming {
    try EventStreaming(storage: storage) { streaming in
        streaming.options.clock = clock
        streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
        streaming.addEvent(OrderPlaced.self)
        try streaming.addSubscription("notes") { subscription in
            subscription.stream(OrderWorkflow.self)
            subscription.mode = .readReceipt
            try notes(&subscription)
        }
        try configure(&streaming)
    }
}

extension UnreadEvent {
    /// The number of the order; -1 for other events.
    var number: Int { ((try? event) as? OrderPlaced)?.number ?? -1 }
}

extension EventStreaming {
    /// Delivers `count` events to a user, who does not read them.
    func show(_ count: Int, to user: String) async throws -> [Seen] {
        try await take(count, of: "notes", as: user)
    }

    /// The numbers of the orders that a user has not read.
    func unreadNumbers(of user: String) async throws -> [Int] {
        let events = try await unread(of: "notes", for: user, limit: 10_000)
        let count = try await unreadCount(of: "notes", for: user)
        return count == events.count ? events.map(\.number) : [-count]
    }

    /// The ids of the stream's events.
    func ids() async throws -> [MessageID] {
        try await read("order-events", limit: 10_000).map(\.id)
    }

    /// What became of an event at a user.
    func receipt(_ event: MessageID, of user: String) async throws -> ReadReceipt? {
        try await receipts(for: event, in: "notes", limit: 10_000).first { $0.consumer.rawValue == user }
    }
}

/// Runs a service while `body` works, on a clock that only `body` moves.
func withRunning(_ streaming: EventStreaming, _ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await streaming.run() }
        do {
            try await body()
        } catch {
            group.cancelAll()
            throw error
        }
        streaming.beginShutdown()
        try await group.waitForAll()
    }
}
