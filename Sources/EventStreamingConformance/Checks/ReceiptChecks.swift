import EventStreamingCore
import EventStreamingTesting

/// When receipts begin, and what is read.
enum ReceiptChecks {
    static let all: [StoreCheck] = [
        StoreCheck("receipts: begin when a delivery is settled") { harness in
            let (stream, _, users) = try await harness.makeReceipts()
            try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<3, as: users[0])
            try await harness.requireUnread([], of: users[0])
            try await harness.requireReceipt(nil, of: users[0], at: 0)
            harness.clock.advance(by: .seconds(5))
            try await harness.store.acknowledge(offsets(0, 2), of: lease)
            try await harness.requireUnread([0, 1], of: users[0])
            let receipt = try await harness.receipt(of: users[0], at: 1)
            try requireEqual(receipt?.subscription, users[0].subscription, "subscription")
            try requireEqual(receipt?.offsets, offsets(1, 2), "offsets")
            try requireEqual(receipt?.deliveredAt, harness.clock.now, "delivered")
            try requireEqual(receipt?.readAt, nil, "read")
            try await harness.requireReceipt(.delivered, of: users[0], at: 1)
            try await harness.store.acknowledge(offsets(2, 3), of: lease)
            try await harness.requireUnread([0, 1, 2], of: users[0])
        },
        StoreCheck("receipts: none for what was given back, or given up") { harness in
            let (stream, _, users) = try await harness.makeReceipts()
            try await harness.append(4, to: stream)
            let lease = try await harness.lease(0..<4, as: users[0])
            var settlement = Settlement(of: users[0], leaseEpoch: lease.epoch, completed: [offsets(1, 2)])
            settlement.rejections = [
                Rejection(offsets: offsets(0, 1), action: .retry(after: .seconds(1)), reason: "later"),
                Rejection(offsets: offsets(3, 4), action: .deadLetter, reason: "broken"),
            ]
            settlement.releasesRest = true
            try await harness.store.settle(settlement)
            try await harness.requireUnread([1], of: users[0])
            for offset in [0, 2, 3] as [Int64] {
                try await harness.requireReceipt(nil, of: users[0], at: offset)
            }
            try await harness.deliver(2..<3, to: users[0])
            harness.clock.advance(by: .seconds(1))
            try await harness.deliver(0..<1, to: users[0], attempt: 2)
            try await harness.requireUnread([0, 1, 2], of: users[0])
        },
        StoreCheck("receipts: none for what the filter passes over") { harness in
            let (stream, _, users) = try await harness.makeReceipts { $0.eventTypes = ["Wanted"] }
            for _ in 0..<3 {
                try await harness.append(1, to: stream, type: "Wanted")
                try await harness.append(2, to: stream)
            }
            try await harness.forEachLease(as: users[0]) { lease in
                var settlement = Settlement(of: users[0], leaseEpoch: lease.epoch, completed: [lease.offsets])
                settlement.read = lease.events.prefix(1).map { $0.offset..<$0.offset.advanced(by: 1) }
                try await harness.store.settle(settlement)
            }
            try await harness.requireUnread([3, 6], of: users[0])
            try await harness.requireReceipt(.read, of: users[0], at: 0)
            try await harness.requireReceipt(nil, of: users[0], at: 1)
            try await requireError(.notDelivered, from: "reading what was passed over") {
                try await harness.markRead(.offsets([offsets(3, 5)]), by: users[0])
            }
            try await harness.requireUnread([3, 6], of: users[0])
        },
        StoreCheck("receipts: events are read by their ids, by their offsets, and all that there are") { harness in
            let (stream, _, users) = try await harness.makeReceipts()
            let events = try await harness.append(10, to: stream)
            try await harness.deliver(0..<10, to: users[0])
            try requireEqual(try await harness.markRead(.events([events[4].id]), by: users[0]), 1, "read by id")
            try requireEqual(
                try await harness.markRead(.offsets([offsets(7, 9), offsets(0, 2)]), by: users[0]), 4, "by offset")
            try await harness.requireUnread([2, 3, 5, 6, 9], of: users[0])
            try requireEqual(
                try await harness.markRead(.unread(before: StreamOffset(6)), by: users[0]), 3, "before an offset")
            try await harness.requireUnread([6, 9], of: users[0])
            try requireEqual(try await harness.markRead(.unread(before: nil), by: users[0]), 2, "all")
            try await harness.requireUnread([], of: users[0])
            try requireEqual(try await harness.markRead(.unread(before: nil), by: users[0]), 0, "none")
            let one = try await harness.store.markRead(events[0].id, by: users[0].consumer, of: users[0].subscription)
            try requireEqual(one, false, "one that was read")
        },
        StoreCheck("receipts: what was read stays as it is") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            let events = try await harness.append(1, to: stream)
            try await harness.deliver(0..<1, to: users[0])
            let delivered = harness.clock.now
            harness.clock.advance(by: .seconds(7))
            try await harness.markRead(.events([events[0].id]), by: users[0])
            let read = harness.clock.now
            harness.clock.advance(by: .seconds(7))
            try requireEqual(try await harness.markRead(.offsets([offsets(0, 1)]), by: users[0]), 0, "read again")
            try await harness.store.markDelivered([offsets(0, 1)], to: users[0].consumer, of: subscription.id)
            _ = try await harness.store.setOffset(
                .zero, of: users[0].consumer, in: subscription.id, epoch: users[0].epoch)
            try await harness.deliver(0..<1, to: users[0])
            let receipt = try await harness.receipt(of: users[0], at: 0)
            try requireEqual(receipt?.status, .read, "status")
            try requireEqual(receipt?.deliveredAt, delivered, "delivered")
            try requireEqual(receipt?.readAt, read, "read")
            try requireEqual(receipt?.deliveries, 1, "deliveries")
            try await harness.requireUnread([], of: users[0])
        },
        StoreCheck("receipts: what is named twice is read once") { harness in
            let (stream, _, users) = try await harness.makeReceipts()
            let events = try await harness.append(6, to: stream)
            try await harness.deliver(0..<6, to: users[0])
            let ids = [events[1].id, events[0].id, events[1].id]
            try requireEqual(try await harness.markRead(.events(ids), by: users[0]), 2, "ids")
            let ranges = [offsets(3, 5), offsets(1, 4), offsets(4, 4)]
            try requireEqual(try await harness.markRead(.offsets(ranges), by: users[0]), 3, "offsets")
            try await harness.requireUnread([5], of: users[0])
            for nothing in [ReceiptSelection.events([]), .offsets([]), .offsets([offsets(2, 2)])] {
                try requireEqual(try await harness.markRead(nothing, by: users[0]), 0, "nothing")
            }
        },
        StoreCheck("receipts: what was not delivered cannot be read, and nothing is changed then") { harness in
            let (stream, _, users) = try await harness.makeReceipts()
            let events = try await harness.append(4, to: stream)
            try await harness.deliver(0..<2, to: users[0])
            try await harness.lease(2..<3, as: users[0])
            let selections: [ReceiptSelection] = [
                .events([events[3].id]), .events([events[2].id]), .events([harness.ids.next()]),
                .events([events[0].id, events[3].id]), .offsets([offsets(1, 3)]),
                .offsets([offsets(0, 1), offsets(3, 4)]),
                .offsets([offsets(100, 101)]), .offsets([offsets(0, .max)]),
            ]
            for selection in selections {
                try await requireError(.notDelivered, from: "\(selection)") {
                    try await harness.markRead(selection, by: users[0])
                }
            }
            try await harness.requireUnread([0, 1], of: users[0])
        },
        StoreCheck("receipts: every user has receipts of his own") { harness in
            let (stream, _, users) = try await harness.makeReceipts(users: ["ada", "bob"])
            let events = try await harness.append(3, to: stream)
            try await harness.deliver(0..<3, to: users[0])
            try await requireError(.notDelivered, from: "reading what another user was given") {
                try await harness.markRead(.events([events[0].id]), by: users[1])
            }
            try requireEqual(try await harness.markRead(.unread(before: nil), by: users[1]), 0, "nothing delivered")
            try await harness.requireUnread([0, 1, 2], of: users[0])
            try await harness.deliver(0..<2, to: users[1])
            try await harness.markRead(.events([events[1].id]), by: users[1])
            try await harness.requireUnread([0, 1, 2], of: users[0])
            try await harness.requireUnread([0], of: users[1])
            try await harness.markRead(.unread(before: nil), by: users[0])
            try await harness.requireUnread([0], of: users[1])
        },
        StoreCheck("receipts: outlast registrations of their user") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            try await harness.append(3, to: stream)
            try await harness.deliver(0..<2, to: users[0])
            let next = try await harness.register("ada", of: subscription)
            try await harness.requireUnread([0, 1], of: next)
            try await harness.markRead(.offsets([offsets(0, 1)]), by: next)
            try await harness.deliver(2..<3, to: next)
            try await harness.store.unregisterConsumer(next)
            try await harness.requireUnread([1, 2], of: next)
            try await harness.markRead(.offsets([offsets(1, 2)]), by: next)
            try await harness.requireUnread([2], of: next)
        },
        StoreCheck("receipts: go with a user who is removed, and with a temporary one") { harness in
            let (stream, subscription, users) = try await harness.makeReceipts()
            try await harness.append(3, to: stream)
            try await harness.deliver(0..<3, to: users[0])
            try await harness.markRead(.offsets([offsets(0, 1)]), by: users[0])
            let guest = try await harness.register("guest", of: subscription, kind: .temporary)
            try await harness.deliver(0..<3, to: guest)
            _ = try await harness.store.removeConsumer(users[0].consumer, of: subscription.id)
            try await harness.store.unregisterConsumer(guest)
            for user in [users[0], guest] {
                try await harness.requireReceipt(nil, of: user, at: 0)
                try await requireError(.unknownConsumer, from: "counting for \(user.consumer)") {
                    _ = try await harness.store.unreadCount(of: user.consumer, in: subscription.id)
                }
            }
            try requireEqual(try await harness.overdue(of: subscription, after: .zero), [], "overdue")
            let again = try await harness.register("ada", of: subscription)
            try await harness.requireUnread([], of: again)
            try await harness.deliver(0..<3, to: again)
            try await harness.requireUnread([0, 1, 2], of: again)
            try await harness.requireReceipt(.delivered, of: again, at: 0)
        },
        StoreCheck("receipts: of a temporary user whose time ran out are gone") { harness in
            let (stream, subscription, _) = try await harness.makeReceipts { $0.consumerTimeout = .seconds(60) }
            let guest = try await harness.register("guest", of: subscription, kind: .temporary)
            try await harness.append(1, to: stream)
            try await harness.deliver(0..<1, to: guest)
            harness.clock.advance(by: .seconds(61))
            _ = try await harness.store.expireConsumers()
            try await harness.requireReceipt(nil, of: guest, at: 0)
            try requireEqual(try await harness.overdue(of: subscription, after: .zero), [], "overdue")
        },
    ]
}
