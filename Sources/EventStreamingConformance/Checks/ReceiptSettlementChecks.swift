import EventStreamingCore
import EventStreamingTesting

/// Receipts that come with a settlement, or without one.
enum ReceiptSettlementChecks {
    static let all: [StoreCheck] = [
        StoreCheck("receipts: a settlement finishes events and marks some of them as read") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            try await harness.append(5, to: stream)
            let lease = try await harness.lease(0..<5, as: users[0])
            var settlement = Settlement(of: users[0], leaseEpoch: lease.epoch, completed: [offsets(0, 4)])
            settlement.read = [offsets(2, 3), offsets(0, 1), offsets(2, 3)]
            try await harness.store.settle(settlement)
            try await harness.requirePosition(4, of: subscription, consumer: "ada")
            try await harness.requireUnread([1, 3], of: users[0])
            let receipt = try await harness.receipt(of: users[0], at: 2)
            try requireEqual(receipt?.readAt, harness.clock.now, "read")
            try requireEqual(receipt?.deliveredAt, harness.clock.now, "delivered")
            try await harness.requireReceipt(nil, of: users[0], at: 4)
        },
        StoreCheck("receipts: so does one that comes with the question for more") { harness in
            let (stream, _, users) = try await harness.makeReceipts()
            try await harness.append(4, to: stream)
            let lease = try await harness.lease(0..<2, as: users[0])
            var settlement = Settlement(of: users[0], leaseEpoch: lease.epoch, completed: [offsets(0, 2)])
            settlement.read = [offsets(1, 2)]
            guard case .lease(let next) = try await harness.store.dequeue(as: users[0], limit: 2, settling: settlement)
            else { throw ConformanceFailure(message: "there was nothing more", file: #fileID, line: #line) }
            try requireEqual(next.offsets, offsets(2, 4), "the next lease")
            try await harness.requireUnread([0], of: users[0])
            settlement = Settlement(of: users[0], leaseEpoch: next.epoch, completed: [offsets(2, 4)])
            settlement.read = [offsets(2, 4)]
            guard case .empty = try await harness.store.dequeue(as: users[0], limit: 2, settling: settlement)
            else { throw ConformanceFailure(message: "there was more", file: #fileID, line: #line) }
            try await harness.requireUnread([0], of: users[0])
        },
        StoreCheck("receipts: a settlement that is refused marks nothing") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<3, as: users[0])
            var outside = Settlement(of: users[0], leaseEpoch: lease.epoch, completed: [offsets(0, 1)])
            outside.read = [offsets(0, 2)]
            try await requireError(.invalidArgument, from: "reading what is not completed") {
                try await harness.store.settle(outside)
            }
            try await harness.requirePosition(0, of: subscription, consumer: "ada")
            try await harness.store.acknowledge(offsets(0, 1), of: lease)
            outside.completed = [offsets(0, 2)]
            try await requireError(.alreadySettled, from: "settling twice") {
                try await harness.store.settle(outside)
            }
            harness.clock.advance(by: .seconds(31))
            var late = Settlement(of: users[0], leaseEpoch: lease.epoch, completed: [offsets(1, 3)])
            late.read = [offsets(1, 3)]
            try await requireError(.leaseExpired, from: "settling late") { try await harness.store.settle(late) }
            let next = try await harness.register("ada", of: subscription)
            try await requireError(.consumerReplaced, from: "settling when replaced") {
                try await harness.store.settle(late)
            }
            try await harness.requireUnread([0], of: next)
        },
        StoreCheck("receipts: a settlement in another mode cannot mark anything as read") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(1, to: stream)
            let lease = try await harness.lease(0..<1, as: consumer)
            var settlement = Settlement(of: consumer, leaseEpoch: lease.epoch, completed: [offsets(0, 1)])
            settlement.read = [offsets(0, 1)]
            try await requireError(.invalidArgument, from: "reading in mode exclusive") {
                try await harness.store.settle(settlement)
            }
            try await harness.requirePosition(0, of: subscription)
        },
        StoreCheck("receipts: a settlement in a transaction makes receipts when it is committed") { harness in
            guard let store = harness.store as? any TransactionalStore else { return }
            let (stream, _, users) = try await harness.makeReceipts()
            try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<3, as: users[0])
            var settlement = Settlement(of: users[0], leaseEpoch: lease.epoch, completed: [lease.offsets])
            settlement.read = [offsets(1, 2)]
            do {
                try await store.withTransaction { [settlement] transaction in
                    try transaction.settle(settlement)
                    throw CancellationError()
                }
                try require(false, "an error inside of the transaction was not passed on")
            } catch is CancellationError {}
            try await harness.requireUnread([], of: users[0])
            try await store.withTransaction { [settlement] transaction in try transaction.settle(settlement) }
            try await harness.requireUnread([0, 2], of: users[0])
            try await harness.requireReceipt(.read, of: users[0], at: 1)
        },
        StoreCheck("receipts: can be made for what was delivered otherwise") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts(users: ["ada", "bob"])
            try await harness.append(6, to: stream)
            let (id, user) = (subscription.id, users[0])
            try await harness.deliver(0..<2, to: user)
            try await harness.markRead(.offsets([offsets(0, 1)]), by: user)
            harness.clock.advance(by: .seconds(5))
            try await harness.store.markDelivered([offsets(0, 3), offsets(4, 100)], to: user.consumer, of: id)
            let unread = try await harness.unread(of: user)
            try requireEqual(
                unread,
                [ReceiptState(1, .delivered, deliveries: 2)] + [2, 4, 5].map { ReceiptState($0, .delivered) },
                "unread"
            )
            try requireEqual(
                try await harness.receipt(of: user, at: 1)?.deliveredAt, harness.clock.now, "delivered again")
            try await harness.requireReceipt(.read, of: user, at: 0)
            try await harness.requirePosition(2, of: subscription, consumer: "ada")
            try await harness.requireUnread([], of: users[1])
        },
        StoreCheck("receipts: an event that is delivered again is unread as before, with a new time") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            try await harness.append(2, to: stream)
            try await harness.deliver(0..<2, to: users[0])
            harness.clock.advance(by: .seconds(5))
            let name = users[0].consumer
            _ = try await harness.store.setOffset(.zero, of: name, in: subscription.id, epoch: users[0].epoch)
            try await harness.requireUnread([0, 1], of: users[0])
            try await harness.deliver(0..<1, to: users[0])
            try await harness.requireReceipt(.delivered, of: users[0], at: 0, deliveries: 2)
            try await harness.requireReceipt(.delivered, of: users[0], at: 1)
            try requireEqual(
                try await harness.receipt(of: users[0], at: 0)?.deliveredAt, harness.clock.now, "delivered again")
            try await harness.requireUnread([0, 1], of: users[0])
        },
        StoreCheck("receipts: many tasks settle and mark, and every event is counted once") { harness in
            try await compete(harness)
        },
    ]

    /// One task delivers, others mark by id and mark all.
    private static func compete(_ harness: StoreHarness) async throws {
        let (stream, _, users) = try await harness.makeReceipts()
        let events = try await harness.append(200, to: stream)
        let marked = try await withThrowingTaskGroup(of: Int.self) { tasks in
            tasks.addTask {
                var marked = 0
                try await harness.forEachLease(as: users[0], limit: 7) { lease in
                    var settlement = Settlement(of: users[0], leaseEpoch: lease.epoch, completed: [lease.offsets])
                    settlement.read = [lease.offsets.lowerBound..<lease.offsets.lowerBound.advanced(by: 1)]
                    try await harness.store.settle(settlement)
                    marked += 1
                }
                return marked
            }
            for number in 0..<3 {
                tasks.addTask {
                    var marked = 0
                    for index in stride(from: number, to: 200, by: 2) {
                        await Task.yield()
                        do {
                            marked += try await harness.markRead(.events([events[index].id]), by: users[0])
                        } catch let error as EventStreamingError where error.code == .notDelivered {
                            marked += try await harness.markRead(.unread(before: nil), by: users[0])
                        }
                    }
                    return marked
                }
            }
            return try await tasks.reduce(0, +)
        }
        let rest = try await harness.markRead(.unread(before: nil), by: users[0])
        try requireEqual(marked + rest, 200, "events that were unread when they were marked")
        try await harness.requireUnread([], of: users[0])
        for offset in stride(from: 0, to: 200, by: 17) as StrideTo<Int64> {
            try await harness.requireReceipt(.read, of: users[0], at: offset)
        }
    }
}
