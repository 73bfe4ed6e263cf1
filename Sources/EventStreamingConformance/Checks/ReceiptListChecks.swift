import EventStreamingCore
import EventStreamingTesting

/// What is unread, and who has read.
enum ReceiptListChecks {
    static let all: [StoreCheck] = [
        StoreCheck("receipts: what is unread comes in order, in pages, from any offset") { harness in
            let (stream, _, users) = try await harness.makeReceipts()
            try await harness.append(30, to: stream)
            try await harness.deliver(0..<10, to: users[0])
            harness.clock.advance(by: .seconds(1))
            try await harness.deliver(10..<30, to: users[0])
            let read = [0, 1, 5, 12, 13, 29] as [Int64]
            try await harness.markRead(.offsets(read.map { offsets($0, $0 + 1) }), by: users[0])
            let expected = (0..<30 as Range<Int64>).filter { !read.contains($0) }
            try await harness.requireUnread(expected, of: users[0])
            for limit in [1, 3, 7, 1000] {
                var (paged, next) = ([Int64](), Int64(0))
                while true {
                    let page = try await harness.unread(of: users[0], from: next, limit: limit)
                    try require(page.count <= limit, "\(page.count) events in a page of \(limit)")
                    guard let last = page.last else { break }
                    paged += page.map(\.offset)
                    next = last.offset + 1
                }
                try requireEqual(paged, expected, "in pages of \(limit)")
            }
            let middle = try await harness.unread(of: users[0], from: 5, limit: 4)
            try requireEqual(middle.map(\.offset), [6, 7, 8, 9], "from one that was read")
            try requireEqual(try await harness.unread(of: users[0], from: .max, limit: 1), [], "from the end")
        },
        StoreCheck("receipts: neighbours that were delivered at one time are one receipt") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            try await harness.append(500, to: stream)
            try await harness.forEachLease(as: users[0]) { try await harness.store.acknowledge($0) }
            func unread() async throws -> [Range<StreamOffset>] {
                try await harness.store.unreadReceipts(
                    of: users[0].consumer,
                    in: subscription.id,
                    from: .zero,
                    limit: 1000
                ).map(\.offsets)
            }
            try requireEqual(try await unread(), [offsets(0, 500)], "receipts")
            try await harness.markRead(.offsets([offsets(250, 251)]), by: users[0])
            try requireEqual(try await unread(), [offsets(0, 250), offsets(251, 500)], "receipts")
            try await harness.markRead(.offsets([offsets(0, 250)]), by: users[0])
            try requireEqual(try await unread(), [offsets(251, 500)], "receipts")
        },
        StoreCheck("receipts: tell who was given an event, by name and in pages") { harness in
            let names = ["ada", "bob", "cleo", "dan", "eve"]
            let (stream, subscription, users) = try await harness.makeReceipts(users: names.reversed())
            try await harness.append(2, to: stream)
            for user in users where user.consumer.rawValue != "dan" {
                try await harness.deliver(0..<2, to: user)
            }
            let time = harness.clock.now
            harness.clock.advance(by: .seconds(3))
            for user in users where user.consumer.rawValue < "cleo" {
                try await harness.markRead(.offsets([offsets(0, 1)]), by: user)
            }
            let (store, id) = (harness.store, subscription.id)
            let receipts = try await store.receipts(for: .zero, in: id, after: nil, limit: 100)
            try requireEqual(receipts.map(\.consumer.rawValue), ["ada", "bob", "cleo", "eve"], "users")
            try requireEqual(receipts.map(\.status), [.read, .read, .delivered, .delivered], "status")
            try requireEqual(receipts.map(\.readAt), [harness.clock.now, harness.clock.now, nil, nil], "times")
            try require(receipts.allSatisfy { $0.deliveredAt == time && $0.offsets == offsets(0, 1) }, "\(receipts)")
            let first = try await store.receipts(for: .zero, in: id, after: nil, limit: 2)
            try requireEqual(first.map(\.consumer.rawValue), ["ada", "bob"], "the first page")
            let second = try await store.receipts(for: .zero, in: id, after: try ConsumerID("bob"), limit: 2)
            try requireEqual(second.map(\.consumer.rawValue), ["cleo", "eve"], "the second page")
            let between = try await store.receipts(for: .zero, in: id, after: try ConsumerID("dan"), limit: 2)
            try requireEqual(between.map(\.consumer.rawValue), ["eve"], "after a user who has none")
            for offset in [2, .max] as [Int64] {
                let none = try await store.receipts(for: StreamOffset(offset), in: id, after: nil, limit: 10)
                try requireEqual(none, [], "receipts of an event that is not there")
            }
        },
        StoreCheck("receipts: of events that are gone are gone") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts(users: ["ada", "bob"])
            let events = try await harness.append(10, to: stream)
            for user in users {
                try await harness.deliver(0..<10, to: user)
            }
            try await harness.markRead(.offsets([offsets(0, 3)]), by: users[0])
            _ = try await harness.store.trim(stream, before: StreamOffset(5))
            for user in users {
                try await harness.requireUnread([5, 6, 7, 8, 9], of: user)
                try await harness.requireReceipt(nil, of: user, at: 0)
                for selection in [ReceiptSelection.events([events[1].id]), .offsets([offsets(4, 6)])] {
                    try await requireError(.notDelivered, from: "\(selection)") {
                        try await harness.markRead(selection, by: user)
                    }
                }
            }
            try requireEqual(try await harness.overdue(of: subscription, after: .zero).count, 10, "overdue")
            try requireEqual(try await harness.markRead(.unread(before: StreamOffset(7)), by: users[1]), 2, "marked")
        },
        StoreCheck("receipts: nobody sees that those of events that are gone are removed") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts(users: ["ada", "bob"])
            try await harness.append(20, to: stream)
            for user in users {
                try await harness.deliver(0..<20, to: user)
                try await harness.markRead(.offsets([offsets(1, 2), offsets(3, 4), offsets(5, 6)]), by: user)
            }
            let (store, id) = (harness.store, subscription.id)
            try requireEqual(try await store.cleanUpReceipts(of: id, limit: 100), 0, "removed before the trim")
            _ = try await store.trim(stream, before: StreamOffset(10))
            var removed = 0
            while true {
                let count = try await store.cleanUpReceipts(of: id, limit: 2)
                try require((0...2).contains(count), "removed \(count) in a step of 2")
                guard count > 0 else { break }
                removed += count
            }
            try require(removed > 0, "nothing was removed")
            for user in users {
                try await harness.requireUnread(Array(10..<20), of: user)
                try await harness.requireReceipt(nil, of: user, at: 1)
            }
            _ = try await store.trim(stream, before: StreamOffset(20))
            while try await store.cleanUpReceipts(of: id, limit: 100) > 0 {}
            for user in users {
                try await harness.requireUnread([], of: user)
                try requireEqual(try await harness.markRead(.unread(before: nil), by: user), 0, "marked")
            }
        },
        StoreCheck("receipts: of subscriptions and users that are not there") { harness in
            let (_, subscription, _) = try await harness.makeReceipts()
            let (unknown, known) = (try SubscriptionID("nothing"), subscription.id)
            let (user, nobody) = (try ConsumerID("ada"), try ConsumerID("nobody"))
            for (name, call) in calls(on: harness.store) {
                try await requireError(.unknownSubscription, from: "\(name) of an unknown subscription") {
                    try await call(unknown, user)
                }
            }
            for (name, call) in calls(on: harness.store).prefix(4) {
                try await requireError(.unknownConsumer, from: "\(name) of an unknown user") {
                    try await call(known, nobody)
                }
            }
        },
        StoreCheck("receipts: only in mode readReceipt") { harness in
            let stream = try await harness.makeStream()
            for mode in [SubscriptionMode.broadcast, .exclusive, .consumerGroup] {
                let other = try await harness.makeSubscription(mode.rawValue, of: stream, mode)
                let user = try await harness.register("ada", of: other)
                for (name, call) in calls(on: harness.store) {
                    try await requireError(.unsupported, from: "\(name) in mode \(mode)") {
                        try await call(other.id, user.consumer)
                    }
                }
            }
        },
        StoreCheck("receipts: only at least once, and of persistent streams") { harness in
            let stream = try await harness.makeStream()
            let queue = try await harness.makeStream("queue", .ephemeral)
            for semantics in DeliverySemantics.allCases where semantics != .atLeastOnce {
                try await requireError(.invalidArgument, from: "receipts with semantics \(semantics)") {
                    _ = try await harness.makeSubscription("notes", of: stream, .readReceipt) {
                        $0.semantics = semantics
                    }
                }
            }
            try await requireError(.invalidArgument, from: "receipts of an ephemeral stream") {
                _ = try await harness.makeSubscription("notes", of: queue, .readReceipt)
            }
            _ = try await harness.makeSubscription("notes", of: stream, .readReceipt)
            try await requireError(.subscriptionConflict, from: "receipts become a broadcast") {
                _ = try await harness.makeSubscription("notes", of: stream, .broadcast)
            }
        },
        StoreCheck("receipts: limits below 1 and negative times are refused") { harness in
            let (_, subscription, users) = try await harness.makeReceipts()
            let (store, id, user) = (harness.store, subscription.id, users[0].consumer)
            for limit in [0, -1, Int.min] {
                for call in 0..<5 {
                    try await requireError(.invalidArgument, from: "call \(call) with limit \(limit)") {
                        switch call {
                        case 0: _ = try await store.unreadReceipts(of: user, in: id, from: .zero, limit: limit)
                        case 1: _ = try await store.receipts(for: .zero, in: id, after: nil, limit: limit)
                        case 2: _ = try await store.expiredUnreadReceipts(of: id, after: .zero, limit: limit)
                        case 3: _ = try await store.expireUnread(of: id, after: .zero, policy: .drop, limit: limit)
                        default: _ = try await store.cleanUpReceipts(of: id, limit: limit)
                        }
                    }
                }
            }
            for timeout in [Duration.nanoseconds(-1), .seconds(Int64.min)] {
                try await requireError(.invalidArgument, from: "time-out \(timeout)") {
                    _ = try await store.expiredUnreadReceipts(of: id, after: timeout, limit: 1)
                }
                try await requireError(.invalidArgument, from: "expiry after \(timeout)") {
                    _ = try await store.expireUnread(of: id, after: timeout, policy: .drop, limit: 1)
                }
            }
            _ = try await store.expiredUnreadReceipts(of: id, after: .seconds(Int64.max), limit: .max)
            let expiry = try await store.expireUnread(of: id, after: .seconds(Int64.max), policy: .drop, limit: .max)
            try requireEqual(expiry, UnreadExpiry(), "expired")
        },
    ]

    private typealias Call = @Sendable (SubscriptionID, ConsumerID) async throws -> Void

    /// Every call, those about one user first.
    private static func calls(on store: any EventStreamingStore) -> [(name: String, call: Call)] {
        [
            ("markDelivered", { try await store.markDelivered([offsets(0, 1)], to: $1, of: $0) }),
            ("markRead", { _ = try await store.markRead(.unread(before: nil), by: $1, of: $0) }),
            ("unreadCount", { _ = try await store.unreadCount(of: $1, in: $0) }),
            ("unreadReceipts", { _ = try await store.unreadReceipts(of: $1, in: $0, from: .zero, limit: 1) }),
            ("receipts", { id, _ in _ = try await store.receipts(for: .zero, in: id, after: nil, limit: 1) }),
            (
                "expiredUnreadReceipts",
                { id, _ in _ = try await store.expiredUnreadReceipts(of: id, after: .zero, limit: 1) }
            ),
            (
                "expireUnread",
                { id, _ in _ = try await store.expireUnread(of: id, after: .zero, policy: .requeue, limit: 1) }
            ),
            ("cleanUpReceipts", { id, _ in _ = try await store.cleanUpReceipts(of: id, limit: 1) }),
        ]
    }
}
