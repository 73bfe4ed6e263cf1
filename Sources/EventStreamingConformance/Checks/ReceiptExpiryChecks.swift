import EventStreamingCore
import EventStreamingTesting

/// What becomes of events that were unread for too long.
enum ReceiptExpiryChecks {
    private static let day = Duration.seconds(86_400)

    static let all: [StoreCheck] = [
        StoreCheck("unread: what was delivered longer ago than the time-out, the oldest first") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts(users: ["ada", "bob"])
            try await harness.append(6, to: stream)
            try await harness.deliver(0..<3, to: users[1])
            harness.clock.advance(by: .seconds(10))
            try await harness.deliver(0..<2, to: users[0])
            harness.clock.advance(by: .seconds(10))
            try await harness.deliver(3..<6, to: users[1])
            try await harness.markRead(.offsets([offsets(1, 2)]), by: users[1])
            try requireEqual(
                try await harness.overdue(of: subscription, after: .seconds(21)), [], "before the first is due")
            harness.clock.advance(by: .milliseconds(1))
            let two = try await harness.overdue(of: subscription, after: .seconds(20))
            try requireEqual(two.map(\.offset), [0, 2], "of bob, but what was read")
            let store = harness.store
            let all = try await store.expiredUnreadReceipts(of: subscription.id, after: .zero, limit: 100)
            let names = all.flatMap { receipt in receipt.states.map { _ in receipt.consumer.rawValue } }
            try requireEqual(names, ["bob", "bob", "ada", "ada", "bob", "bob", "bob"], "users")
            try requireEqual(all.flatMap(\.states).map(\.offset), [0, 2, 0, 1, 3, 4, 5], "all")
            try requireEqual(
                all.map(\.deliveredAt), all.map(\.deliveredAt).sorted(), "in order of the times")
            for limit in 1...7 {
                let some = try await harness.overdue(of: subscription, after: .zero, limit: limit)
                try requireEqual(some.map(\.offset), Array([0, 2, 0, 1, 3, 4, 5].prefix(limit)), "at most \(limit)")
            }
        },
        StoreCheck("unread: requeued events come again, with another attempt") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts(users: ["ada", "bob"])
            let events = try await harness.append(4, to: stream)
            for user in users {
                try await harness.deliver(0..<4, to: user)
            }
            try await harness.markRead(.events([events[1].id]), by: users[0])
            try await harness.markRead(.unread(before: nil), by: users[1])
            harness.clock.advance(by: day)
            let result = try await harness.expireAll(of: subscription, after: day, .requeue, limit: 2)
            try requireEqual(result, UnreadExpiry(requeued: 3), "expired")
            try await harness.requireUnread([0, 2, 3], of: users[0])
            try await harness.requireReceipt(.requeued, of: users[0], at: 0)
            try requireEqual(try await harness.overdue(of: subscription, after: .zero), [], "overdue while they wait")
            let progress = try await harness.progress(of: subscription, consumer: "ada")
            try requireEqual(progress.waiting, 3, "waiting")
            try requireEqual(progress.position, StreamOffset(4), "position")
            try await harness.requireNothing(for: users[1])
            var attempts: [Int64: Int] = [:]
            try await harness.forEachLease(as: users[0]) { lease in
                for event in lease.events {
                    attempts[event.offset.rawValue] = lease.attempt
                }
                try await harness.store.acknowledge(lease)
            }
            try requireEqual(Set(attempts.keys), [0, 2, 3], "delivered again")
            try await harness.requireUnread([0, 2, 3], of: users[0])
            for offset in [0, 2, 3] as [Int64] {
                try await harness.requireReceipt(.delivered, of: users[0], at: offset, deliveries: 2)
            }
            try requireEqual(
                try await harness.receipt(of: users[0], at: 0)?.deliveredAt, harness.clock.now, "a new time")
            try requireEqual(
                try await harness.expireAll(of: subscription, after: day, .requeue), UnreadExpiry(), "again")
        },
        StoreCheck("unread: requeued events can be read while they wait, and stay read") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            let events = try await harness.append(2, to: stream)
            try await harness.deliver(0..<2, to: users[0])
            harness.clock.advance(by: day)
            _ = try await harness.expireAll(of: subscription, after: day, .requeue)
            try requireEqual(try await harness.markRead(.events([events[0].id]), by: users[0]), 1, "read by id")
            try requireEqual(try await harness.markRead(.unread(before: nil), by: users[0]), 1, "read with all")
            try await harness.forEachLease(as: users[0]) { try await harness.store.acknowledge($0) }
            try await harness.requireUnread([], of: users[0])
            for offset in [0, 1] as [Int64] {
                try requireEqual(try await harness.receipt(of: users[0], at: offset)?.status, .read, "status")
            }
            harness.clock.advance(by: day)
            try requireEqual(
                try await harness.expireAll(of: subscription, after: day, .drop), UnreadExpiry(), "expired")
        },
        StoreCheck("unread: an event is given up when its deliveries are used up") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts { $0.retry.maximumAttempts = 3 }
            let events = try await harness.append(1, to: stream)
            for number in 1...3 {
                try await harness.forEachLease(as: users[0]) { try await harness.store.acknowledge($0) }
                try await harness.requireReceipt(.delivered, of: users[0], at: 0, deliveries: number)
                harness.clock.advance(by: day)
                let result = try await harness.expireAll(of: subscription, after: day, .requeue)
                let expected = number < 3 ? UnreadExpiry(requeued: 1) : UnreadExpiry(deadLettered: 1)
                try requireEqual(result, expected, "after \(number) deliveries")
            }
            try await harness.requireNothing(for: users[0])
            try await harness.requireReceipt(.expired, of: users[0], at: 0, deliveries: 3)
            let letters = try await harness.deadLetters(of: subscription)
            try requireEqual(letters.map(\.event.id), events.map(\.id), "dead letters")
            try requireEqual(letters.map(\.attempts), [3], "attempts")
            try requireEqual(letters.map(\.consumer), [users[0].consumer], "consumer")
        },
        StoreCheck("unread: dead letters, with everything known, can be redriven to their user") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts(users: ["ada", "bob"])
            let events = try await harness.append(3, to: stream)
            for user in users {
                try await harness.deliver(0..<3, to: user)
            }
            try await harness.markRead(.unread(before: nil), by: users[1])
            harness.clock.advance(by: day)
            let result = try await harness.expireAll(of: subscription, after: day, .deadLetter)
            try requireEqual(result, UnreadExpiry(deadLettered: 3), "expired")
            try await harness.requireUnread([], of: users[0])
            let letters = try await harness.deadLetters(of: subscription)
            try requireEqual(letters.map(\.event.id), events.map(\.id), "dead letters")
            try requireEqual(letters.map(\.consumer), Array(repeating: users[0].consumer, count: 3), "consumers")
            try requireEqual(letters.map(\.attempts), [1, 1, 1], "attempts")
            try requireEqual(letters.map(\.lastFailure), Array(repeating: harness.clock.now, count: 3), "failure")
            try require(letters.allSatisfy { !$0.reason.isEmpty }, "there is a reason")
            try await requireError(.receiptExpired, from: "reading what was given up") {
                try await harness.markRead(.events([events[0].id]), by: users[0])
            }
            try requireEqual(try await harness.markRead(.unread(before: nil), by: users[0]), 0, "all that is unread")
            try requireEqual(try await harness.store.redrive(offsets(0, 2), of: subscription.id), 2, "redriven")
            try await harness.requireReceipt(.requeued, of: users[0], at: 0)
            try await harness.requireUnread([0, 1], of: users[0])
            try await harness.requireNothing(for: users[1])
            try await harness.forEachLease(as: users[0]) { lease in
                try require(lease.isRedriven, "the lease does not say that it is redriven")
                try await harness.store.acknowledge(lease)
            }
            try await harness.requireUnread([0, 1], of: users[0])
            try requireEqual(try await harness.markRead(.events([events[0].id]), by: users[0]), 1, "read at last")
            try await harness.requireUnread([1], of: users[0])
        },
        StoreCheck("unread: dropped events are given up, and nothing comes of them") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            let events = try await harness.append(5, to: stream)
            try await harness.deliver(0..<5, to: users[0])
            try await harness.markRead(.events([events[2].id]), by: users[0])
            harness.clock.advance(by: day)
            let result = try await harness.expireAll(of: subscription, after: day, .drop, limit: 3)
            try requireEqual(result, UnreadExpiry(dropped: 4), "expired")
            try await harness.requireUnread([], of: users[0])
            try await harness.requireNothing(for: users[0])
            try requireEqual(try await harness.deadLetters(of: subscription).count, 0, "dead letters")
            try await harness.requireReceipt(.expired, of: users[0], at: 0)
            try await harness.requireReceipt(.read, of: users[0], at: 2)
            for selection in [ReceiptSelection.events([events[0].id]), .offsets([offsets(2, 5)])] {
                try await requireError(.receiptExpired, from: "\(selection)") {
                    try await harness.markRead(selection, by: users[0])
                }
            }
            try await harness.store.markDelivered([offsets(0, 5)], to: users[0].consumer, of: subscription.id)
            try await harness.requireUnread([], of: users[0])
        },
        StoreCheck("unread: a step has a limit, and begins with the oldest") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts(users: ["ada", "bob"])
            try await harness.append(6, to: stream)
            try await harness.deliver(0..<6, to: users[1])
            harness.clock.advance(by: .seconds(10))
            try await harness.deliver(0..<6, to: users[0])
            harness.clock.advance(by: day)
            let (store, id) = (harness.store, subscription.id)
            let first = try await store.expireUnread(of: id, after: day, policy: .drop, limit: 4)
            try requireEqual(first, UnreadExpiry(dropped: 4), "the first step")
            try await harness.requireUnread([4, 5], of: users[1])
            try await harness.requireUnread(Array(0..<6), of: users[0])
            let second = try await store.expireUnread(of: id, after: day, policy: .deadLetter, limit: 4)
            try requireEqual(second, UnreadExpiry(deadLettered: 4), "the second step")
            try await harness.requireUnread([], of: users[1])
            try await harness.requireUnread([2, 3, 4, 5], of: users[0])
        },
        StoreCheck("unread: what the stream does not keep any more does not expire") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            try await harness.append(6, to: stream)
            try await harness.deliver(0..<6, to: users[0])
            harness.clock.advance(by: day)
            _ = try await harness.store.trim(stream, before: StreamOffset(4))
            let result = try await harness.expireAll(of: subscription, after: day, .requeue)
            try requireEqual(result, UnreadExpiry(requeued: 2), "expired")
            try await harness.requireUnread([4, 5], of: users[0])
        },
        StoreCheck("unread: a requeued event that fails for good has no more time to be read") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            let events = try await harness.append(1, to: stream)
            try await harness.deliver(0..<1, to: users[0])
            harness.clock.advance(by: day)
            _ = try await harness.expireAll(of: subscription, after: day, .requeue)
            try await harness.giveUpNext(as: users[0])
            try requireEqual(try await harness.receipt(of: users[0], at: 0)?.status, .expired, "status")
            try await harness.requireUnread([], of: users[0])
            try await requireError(.receiptExpired, from: "reading it") {
                try await harness.markRead(.events([events[0].id]), by: users[0])
            }
        },
        StoreCheck("unread: expires also while its user is away") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            try await harness.append(2, to: stream)
            try await harness.deliver(0..<2, to: users[0])
            try await harness.store.unregisterConsumer(users[0])
            harness.clock.advance(by: day)
            let result = try await harness.expireAll(of: subscription, after: day, .requeue)
            try requireEqual(result, UnreadExpiry(requeued: 2), "expired")
            let again = try await harness.register("ada", of: subscription)
            var delivered = 0
            try await harness.forEachLease(as: again) { lease in
                delivered += lease.events.count
                try await harness.store.acknowledge(lease)
            }
            try requireEqual(delivered, 2, "events delivered again")
        },
        StoreCheck("unread: of many tasks that expire the same events each does its own") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts(users: ["ada", "bob", "cleo"])
            try await harness.append(40, to: stream)
            for user in users {
                try await harness.deliver(0..<40, to: user)
            }
            harness.clock.advance(by: day)
            let (store, id) = (harness.store, subscription.id)
            let total = try await withThrowingTaskGroup(of: UnreadExpiry.self) { tasks in
                for number in 0..<4 {
                    tasks.addTask {
                        try await harness.expireAll(of: subscription, after: day, .deadLetter, limit: 5 + number)
                    }
                }
                return try await tasks.reduce(into: UnreadExpiry()) { $0.deadLettered += $1.deadLettered }
            }
            try requireEqual(total, UnreadExpiry(deadLettered: 120), "expired")
            let letters = try await store.deadLetters(of: id, from: .zero, limit: 1000)
            let keys = Set(letters.map { "\($0.consumer?.rawValue ?? "-") \($0.event.offset)" })
            try requireEqual(keys.count, 120, "dead letters, each once")
            try requireEqual(letters.count, 120, "dead letters")
        },
    ]
}
