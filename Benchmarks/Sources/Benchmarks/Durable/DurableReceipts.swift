import EventStreaming

extension DurableDatabase {
    static var receipts: Benchmark {
        Benchmark(
            "\(name)-receipts",
            "the unread notifications of one of 2000 (--full: 100 000) users counted, 100 each, against 1 ms",
            target: Target("at most 1 ms, and 40 bytes a receipt that was read in order") { result in
                result.value <= 1000 && result["bytes-per-receipt"].map { $0 <= 40 } == true
            }
        ) { rounds in
            try await withEmpty { database in
                let users = try await ReceiptUsers(
                    count: rounds.isFull ? 100_000 : 2000,
                    notifications: 100,
                    in: DurableStream(database.storage)
                )
                return try await measure(users, rounds) { try database.bytes(of: "read_receipts") }
            }
        }
    }

    private static func measure(
        _ users: ReceiptUsers,
        _ rounds: Rounds,
        size: () throws -> Double
    ) async throws -> Measurement {
        Console.say("  delivering \(users.notifications) notifications to \(users.count) users …")
        let delivered = try await users.deliver()
        let unreadBytes = try size() / Double(users.receipts)
        // The first is a warm-up.
        var times: [Latency] = []
        for _ in 0...rounds.count {
            times.append(try await users.countUnread(calls: 2000, expecting: users.notifications))
        }
        let read = try await users.markAllRead()
        let bytes = try size() / Double(users.receipts)
        _ = try await users.countUnread(calls: 100, expecting: 0)
        let medians = times.dropFirst().map(\.median)
        return Measurement(
            value: medians.median,
            unit: "us",
            baseline: 1000,
            ratio: medians.median / 1000,
            ratios: (medians.min() ?? 0) / 1000...(medians.max() ?? 0) / 1000,
            extras: [
                ("p99", times.dropFirst().map(\.slowest).median),
                ("bytes-per-receipt", bytes), ("bytes-per-unread-receipt", unreadBytes),
                ("mark-all-read-us", read), ("deliver-us", delivered), ("create-us", users.created),
            ]
        )
    }
}

/// Users of a subscription that keeps receipts, each with the same notifications.
private struct ReceiptUsers {
    /// How many calls are made at a time.
    private static let tasks = 64
    /// In how many portions, and so at how many times, the notifications come.
    private static let portions = 4

    let count: Int
    let notifications: Int
    /// The microseconds that creating a user took, many at a time.
    let created: Double
    private let store: any EventStreamingStore
    private let subscription: SubscriptionID

    var receipts: Int { count * notifications }

    init(count: Int, notifications: Int, in stream: DurableStream) async throws {
        self.count = count
        self.notifications = notifications
        store = stream.store
        subscription = try SubscriptionID("users")
        try await stream.fill(notifications)
        try await store.createSubscription(
            SubscriptionDefinition(id: subscription, stream: stream.names[0], mode: .readReceipt)
        )
        Console.say("  creating \(count) users …")
        let (store, subscription, watch) = (store, subscription, Stopwatch())
        try await Self.forEachUser(of: count) { try await store.createConsumer($0, of: subscription, start: nil) }
        created = watch.nanoseconds(per: count) / 1000
    }

    private static func user(_ number: Int) throws -> ConsumerID { try ConsumerID("user-\(number)") }

    /// Calls `body` for every user, many at a time.
    private static func forEachUser(
        of count: Int,
        _ body: @escaping @Sendable (ConsumerID) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    for number in stride(from: task, to: count, by: tasks) {
                        try await body(user(number))
                    }
                }
            }
            for try await _ in group {}
        }
    }

    /// - Returns: The microseconds that a call took, many at a time.
    func deliver() async throws -> Double {
        let (store, subscription) = (store, subscription)
        let watch = Stopwatch()
        let size = Int64(notifications / Self.portions)
        for portion in 0..<Int64(Self.portions) {
            let offsets = StreamOffset(portion * size)..<StreamOffset((portion + 1) * size)
            try await Self.forEachUser(of: count) { try await store.markDelivered([offsets], to: $0, of: subscription) }
        }
        return watch.nanoseconds(per: count * Self.portions) / 1000
    }

    /// - Returns: The microseconds that a call took, many at a time.
    func markAllRead() async throws -> Double {
        let (store, subscription, notifications) = (store, subscription, notifications)
        let watch = Stopwatch()
        try await Self.forEachUser(of: count) { user in
            let count = try await store.markRead(.unread(before: nil), by: user, of: subscription)
            guard count == notifications else { throw Problem("\(user) had \(count) unread notifications.") }
        }
        return watch.nanoseconds(per: count) / 1000
    }

    /// Counts for users all over, one after the other.
    ///
    /// - Returns: How long a call took.
    func countUnread(calls: Int, expecting expected: Int) async throws -> Latency {
        var times: [Double] = []
        for call in 0..<calls {
            let user = try Self.user(call &* 7919 % count)
            let watch = Stopwatch()
            let unread = try await store.unreadCount(of: user, in: subscription)
            times.append(watch.seconds * 1e6)
            guard unread == expected else { throw Problem("\(user) has \(unread) unread, not \(expected).") }
        }
        return Latency(of: times)
    }
}
