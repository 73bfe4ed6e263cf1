import EventStreamingCore
import EventStreamingSQLite
import EventStreamingTesting
import GRDB
import Testing

@Suite("Receipts in a file", .timeLimit(.minutes(2)))
struct ReceiptTests {
    private func offsets(_ range: Range<Int64>) -> Range<StreamOffset> {
        StreamOffset(range.lowerBound)..<StreamOffset(range.upperBound)
    }

    @Test("Outlast the process, with the time they have left")
    func reopening() async throws {
        try await Fixture.with { fixture in
            let user = try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(.readReceipt, in: store)
                try await fixture.append(10, to: store)
                let registration = try await fixture.register("ada", in: store)
                let lease = try await fixture.lease(10, as: registration, in: store)
                var settlement = Settlement(
                    of: registration, leaseEpoch: lease.epoch, completed: [lease.offsets])
                settlement.read = [offsets(0..<4)]
                try await store.settle(settlement)
                return registration.consumer
            }
            fixture.clock.advance(by: .seconds(60))
            try await fixture.withStore { store in
                #expect(try await store.unreadCount(of: user, in: fixture.subscription) == 6)
                #expect(try await store.markRead(.offsets([offsets(4..<5)]), by: user, of: fixture.subscription) == 1)
                let overdue = try await store.expiredUnreadReceipts(
                    of: fixture.subscription, after: .seconds(60), limit: 3)
                #expect(overdue.map(\.offsets) == [offsets(5..<8)])
                let expiry = try await store.expireUnread(
                    of: fixture.subscription, after: .seconds(60), policy: .deadLetter, limit: 100)
                #expect(expiry == UnreadExpiry(deadLettered: 5))
            }
            let rows = try fixture.withConnection { try Int.fetchOne($0, sql: "SELECT count(*) FROM read_receipts") }
            #expect(rows == 2)
        }
    }

    @Test("Requeued events are still waiting when the file is opened again")
    func requeuing() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(.readReceipt, in: store)
                try await fixture.append(2, to: store)
                let registration = try await fixture.register("ada", in: store)
                try await store.acknowledge(try await fixture.lease(2, as: registration, in: store))
                let expiry = try await store.expireUnread(
                    of: fixture.subscription, after: .zero, policy: .requeue, limit: 100)
                #expect(expiry == UnreadExpiry(requeued: 2))
                _ = try await store.trim(fixture.stream, before: StreamOffset(1))
            }
            try await fixture.withStore { store in
                let registration = try await fixture.register("ada", in: store)
                for offset in Int64(0)..<2 {
                    let lease = try await fixture.lease(10, as: registration, in: store)
                    #expect(lease.events.map(\.offset) == [StreamOffset(offset)])
                    try await store.acknowledge(lease)
                }
                // The first was trimmed before it was delivered again.
                let receipts = try await store.unreadReceipts(
                    of: registration.consumer, in: fixture.subscription, from: .zero, limit: 10)
                #expect(receipts.map(\.offsets) == [offsets(1..<2)])
                #expect(receipts.map(\.deliveries) == [2])
                #expect(try await store.cleanUpReceipts(of: fixture.subscription, limit: 10) == 0)
                _ = try await store.trim(fixture.stream, before: StreamOffset(2))
                #expect(try await store.unreadCount(of: registration.consumer, in: fixture.subscription) == 0)
                #expect(try await store.cleanUpReceipts(of: fixture.subscription, limit: 10) == 1)
                #expect(try await store.cleanUpReceipts(of: fixture.subscription, limit: 10) == 0)
            }
        }
    }

    @Test("A receipt that nobody of us wrote is told, and changes nothing")
    func damage() async throws {
        try await Fixture.with { fixture in
            let user = try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(.readReceipt, in: store)
                try await fixture.append(10, to: store)
                let user = try await fixture.register("ada", in: store).consumer
                try await store.markDelivered([offsets(0..<10)], to: user, of: fixture.subscription)
                return user
            }
            try fixture.withConnection { try $0.execute(sql: "UPDATE read_receipts SET status = 9 WHERE status = 1") }
            try await fixture.withStore { store in
                let error = await #expect(throws: EventStreamingError.self) {
                    try await store.markRead(.offsets([offsets(0..<1)]), by: user, of: fixture.subscription)
                }
                #expect(error?.code == .storeDamaged)
                let looking = await #expect(throws: EventStreamingError.self) {
                    try await store.receipts(for: .zero, in: fixture.subscription, after: nil, limit: 1)
                }
                #expect(looking?.code == .storeDamaged)
                // Others go on.
                try await fixture.append(1, to: store)
            }
        }
    }
}
