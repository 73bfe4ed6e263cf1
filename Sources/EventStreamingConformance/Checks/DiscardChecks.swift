import EventStreamingCore
import EventStreamingTesting

enum DiscardChecks {
    private static let note = AuditNote(by: "ada", because: "a test order")

    static let all: [StoreCheck] = [
        StoreCheck("discard: a dead letter is not open any more, and never again") { harness in
            let (subscription, consumer, events) = try await harness.makeDeadLetters(4)
            let discarded = try await harness.store.discard([offsets(1, 3)], of: subscription.id, by: note)
            try requireEqual(discarded.map(\.rawValue), [1, 2], "discarded")
            try requireEqual(try await harness.deadLetters(of: subscription).map(\.number.rawValue), [0, 3], "open")
            let progress = try await harness.progress(of: subscription)
            try requireEqual(progress.deadLetters, 2, "dead letters left")
            try requireEqual(progress.position.rawValue, 4, "position")
            let all = [offsets(0, 10)]
            let redrivable = try await harness.store.redrivable(all, of: subscription.id)
            try requireEqual(redrivable.map(\.rawValue), [0, 3], "what can be redriven")
            let redriven = try await harness.store.redrive(all, of: subscription.id, by: note)
            try requireEqual(redriven.map(\.rawValue), [0, 3], "redriven")
            try requireEqual(try await harness.store.discard(all, of: subscription.id, by: note), [], "discarded again")
            let records = try await harness.readAll(subscription.deadLetterStream)
            try requireEqual(records.map(\.causationID), events.map(\.id), "records in the dead-letter stream")
            var returned: [Int64] = []
            try await harness.forEachLease(as: consumer, limit: 100) { lease in
                returned += lease.events.map(\.offset.rawValue)
                try await harness.store.acknowledge(lease)
            }
            try requireEqual(returned.sorted(), [0, 3], "events that returned")
        },
        StoreCheck("discard: of a consumer whose position is gone, which cannot be redriven") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let consumer = try await harness.register("c1", of: subscription, kind: .temporary)
            try await harness.append(1, to: stream)
            try await harness.giveUpNext(as: consumer)
            let all = [offsets(0, 1)]
            try requireEqual(try await harness.store.redrivable(all, of: subscription.id).count, 1, "can be redriven")
            try await harness.store.unregisterConsumer(consumer)
            try requireEqual(try await harness.store.redrivable(all, of: subscription.id).count, 0, "can be redriven")
            try requireEqual(try await harness.store.discard(all, of: subscription.id, by: note).count, 1, "discarded")
            try requireEqual(try await harness.deadLetters(of: subscription).count, 0, "open")
            let entries = try await harness.store.deadLetterAudit(of: subscription.id, from: 0, limit: 10)
            try requireEqual(entries.map(\.consumer), [consumer.consumer], "whose it was")
        },
        StoreCheck("discard: what ran out can be discarded at once") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.retry.maximumAttempts = 1 }
            try await harness.append(1, to: stream)
            try await harness.lease(0..<1, as: consumer)
            harness.clock.advance(by: .seconds(30))
            let discarded = try await harness.store.discard([offsets(0, 9)], of: subscription.id, by: note)
            try requireEqual(discarded.map(\.rawValue), [0], "discarded")
        },
        StoreCheck("dead letter audit: who did what, when and why, in order") { harness in
            let (subscription, _, events) = try await harness.makeDeadLetters(4)
            harness.clock.advance(by: .seconds(5))
            let first = harness.clock.now
            let why = AuditNote(by: "grace 😀", because: "fixed in 1.4 '\"\n")
            _ = try await harness.store.redrive([offsets(3, 4), offsets(0, 1)], of: subscription.id, by: why)
            harness.clock.advance(by: .seconds(5))
            let second = harness.clock.now
            _ = try await harness.store.discard([offsets(1, 3), offsets(2, 3)], of: subscription.id, by: note)
            let entries = try await harness.store.deadLetterAudit(of: subscription.id, from: 0, limit: 10)
            try requireEqual(entries.map(\.action), [.redriven, .redriven, .discarded, .discarded], "actions")
            try requireEqual(entries.map(\.deadLetter.rawValue), [0, 3, 1, 2], "dead letters")
            try requireEqual(entries.map(\.event), [0, 3, 1, 2].map { events[$0].id }, "events")
            try requireEqual(entries.map(\.note), [why, why, note, note], "who and why")
            try requireEqual(entries.map(\.time), [first, first, second, second], "when")
            try require(entries.allSatisfy { $0.subscription == subscription.id && $0.consumer == nil }, "whose")
            try require(zip(entries, entries.dropFirst()).allSatisfy { $0.number < $1.number }, "numbers ascend")
        },
        StoreCheck("dead letter audit: pages, and it outlives the records") { harness in
            let (subscription, _, _) = try await harness.makeDeadLetters(3)
            let other = try await harness.makeSubscription("other", of: subscription.stream)
            for number in 0..<3 as Range<Int64> {
                _ = try await harness.store.discard([offsets(number, number + 1)], of: subscription.id, by: note)
            }
            _ = try await harness.store.trim(subscription.deadLetterStream, before: StreamOffset(3))
            var seen: [Int64] = []
            var next: Int64 = 0
            for _ in 0..<4 {
                let page = try await harness.store.deadLetterAudit(of: subscription.id, from: next, limit: 1)
                seen += page.map(\.deadLetter.rawValue)
                next = page.last.map { $0.number + 1 } ?? next
            }
            try requireEqual(seen, [0, 1, 2], "dead letters, page by page")
            for number in [Int64.min, -1] {
                let page = try await harness.store.deadLetterAudit(of: subscription.id, from: number, limit: .max)
                try requireEqual(page.count, 3, "entries from \(number)")
            }
            try requireEqual(
                try await harness.store.deadLetterAudit(of: subscription.id, from: .max, limit: 1).count, 0,
                "entries after the last")
            try requireEqual(
                try await harness.store.deadLetterAudit(of: other.id, from: 0, limit: 9).count, 0,
                "entries of another subscription")
        },
        StoreCheck("dead letter audit: nothing is written for what was not open") { harness in
            let (subscription, _, _) = try await harness.makeDeadLetters(1)
            for range in [offsets(5, 9), offsets(0, 0), offsets(.max, .max)] {
                _ = try await harness.store.discard([range], of: subscription.id, by: note)
                _ = try await harness.store.redrive([range], of: subscription.id, by: note)
            }
            _ = try await harness.store.redrivable([offsets(0, 9)], of: subscription.id)
            let entries = try await harness.store.deadLetterAudit(of: subscription.id, from: 0, limit: 10)
            try requireEqual(entries.count, 0, "entries")
            try requireEqual(try await harness.deadLetters(of: subscription).count, 1, "open")
        },
        StoreCheck("discard: bad notes, too many ranges, unknown subscriptions") { harness in
            let (subscription, _, _) = try await harness.makeDeadLetters(2)
            let all = [offsets(0, 9)]
            let long = String(repeating: "ü", count: 501)
            let notes = [
                AuditNote(by: "", because: ""), AuditNote(by: long, because: ""), AuditNote(by: "a\0", because: ""),
                AuditNote(by: "ada", because: long), AuditNote(by: "ada", because: "\0"),
            ]
            for note in notes {
                try await requireError(.invalidArgument, from: "discard with a bad note") {
                    _ = try await harness.store.discard(all, of: subscription.id, by: note)
                }
                try await requireError(.invalidArgument, from: "redrive with a bad note") {
                    _ = try await harness.store.redrive(all, of: subscription.id, by: note)
                }
            }
            let tooMany = Array(repeating: offsets(0, 1), count: DeadLetter.maximumRangesPerCall + 1)
            try await requireError(.invalidArgument, from: "discard of too many ranges") {
                _ = try await harness.store.discard(tooMany, of: subscription.id, by: note)
            }
            for limit in [0, -1] {
                try await requireError(.invalidArgument, from: "audit with limit \(limit)") {
                    _ = try await harness.store.deadLetterAudit(of: subscription.id, from: 0, limit: limit)
                }
            }
            try requireEqual(try await harness.deadLetters(of: subscription).count, 2, "open")
            let most = (0..<Int64(DeadLetter.maximumRangesPerCall)).map { offsets($0 * 2 + 1, $0 * 2 + 2) }
            let discarded = try await harness.store.discard(most, of: subscription.id, by: note)
            try requireEqual(discarded.map(\.rawValue), [1], "discarded of as many ranges as possible")
            let unknown = try SubscriptionID("nothing")
            try await requireError(.unknownSubscription, from: "discard") {
                _ = try await harness.store.discard(all, of: unknown, by: note)
            }
            try await requireError(.unknownSubscription, from: "redrivable") {
                _ = try await harness.store.redrivable(all, of: unknown)
            }
            try await requireError(.unknownSubscription, from: "audit") {
                _ = try await harness.store.deadLetterAudit(of: unknown, from: 0, limit: 1)
            }
        },
        StoreCheck("discard: of several at once, each dead letter is closed by one") { harness in
            let (subscription, _, _) = try await harness.makeDeadLetters(20)
            let store = harness.store
            let closed = try await withThrowingTaskGroup(of: [StreamOffset].self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let note = AuditNote(by: "operator \(number)", because: "")
                        if number.isMultiple(of: 2) {
                            return try await store.discard([offsets(0, 20)], of: subscription.id, by: note)
                        }
                        return try await store.redrive([offsets(0, 20)], of: subscription.id, by: note)
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try requireEqual(closed.map(\.rawValue).sorted(), Array(0..<20), "closed, each once")
            let entries = try await store.deadLetterAudit(of: subscription.id, from: 0, limit: 100)
            try requireEqual(entries.map(\.deadLetter.rawValue).sorted(), Array(0..<20), "in the audit, each once")
        },
    ]
}

extension StoreHarness {
    /// A queue whose first `count` events were all given up.
    fileprivate func makeDeadLetters(
        _ count: Int
    ) async throws -> (subscription: SubscriptionDefinition, consumer: ConsumerRegistration, events: [NewEvent]) {
        let (stream, subscription, consumer) = try await makeQueue()
        let events = try await append(count, to: stream)
        for _ in 0..<count {
            try await giveUpNext(as: consumer)
        }
        return (subscription, consumer, events)
    }
}
