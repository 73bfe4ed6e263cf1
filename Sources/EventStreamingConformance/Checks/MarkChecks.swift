import EventStreamingCore
import EventStreamingTesting

/// Marks of processed events: alone, with settlements, and when dead letters return.
enum MarkChecks {
    static let all: [StoreCheck] = [
        StoreCheck("marks: the first one wins, and each processor has its own") { harness in
            let (ids, store) = (harness.eventIDs(4), harness.store)
            let (mailer, other) = (try ProcessorID("mailer"), try ProcessorID("mailer/one"))
            try requireEqual(try await store.wasProcessed(ids, by: mailer), [], "marks at the beginning")
            let first = try await store.markProcessed(Array(ids[..<2]), by: mailer, at: nil)
            try requireEqual(first, Set(ids[..<2]), "new marks")
            let second = try await store.markProcessed(ids, by: mailer, at: nil)
            try requireEqual(second, Set(ids[2...]), "new marks of the second call")
            try requireEqual(try await store.wasProcessed(ids, by: mailer), Set(ids), "marks")
            try requireEqual(try await store.wasProcessed(ids, by: other), [], "marks of another processor")
            try requireEqual(try await store.markProcessed(ids[0], by: other), true, "whether its own mark is new")
        },
        StoreCheck("marks: an event that is named twice is marked once, and no events are no work") { harness in
            let (ids, store, mailer) = (harness.eventIDs(2), harness.store, try ProcessorID("mailer"))
            let new = try await store.markProcessed([ids[0], ids[1], ids[0]], by: mailer, at: nil)
            try requireEqual(new, Set(ids), "new marks")
            try requireEqual(try await store.markProcessed([], by: mailer, at: nil), [], "marks of nothing")
            try requireEqual(try await store.wasProcessed([], by: mailer), [], "what was processed of nothing")
            try requireEqual(try await store.forgetProcessed([], by: mailer), 0, "marks of nothing removed")
            try requireEqual(try await store.forgetProcessed(nil, by: mailer), 2, "marks removed")
        },
        StoreCheck("marks: many at once") { harness in
            let (ids, store, mailer) = (harness.eventIDs(3000), harness.store, try ProcessorID("mailer"))
            try requireEqual(try await store.markProcessed(ids, by: mailer, at: nil).count, 3000, "new marks")
            try requireEqual(try await store.wasProcessed(ids, by: mailer).count, 3000, "marks")
        },
        StoreCheck("marks: of many tasks that mark the same events, each event is new to one") { harness in
            let (ids, store, mailer) = (harness.eventIDs(50), harness.store, try ProcessorID("mailer"))
            let new = try await withThrowingTaskGroup(of: Set<MessageID>.self) { group in
                for task in 0..<8 {
                    let order = Array(ids[(task * 6)...] + ids[..<(task * 6)])
                    group.addTask { try await store.markProcessed(order, by: mailer, at: nil) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try requireEqual(new.map(\.count).reduce(0, +), 50, "new marks of all tasks together")
            try requireEqual(new.reduce(into: []) { $0.formUnion($1) }, Set(ids), "the events marked")
        },
        StoreCheck("marks: what is forgotten is new again, and only that") { harness in
            let (ids, store, mailer) = (harness.eventIDs(3), harness.store, try ProcessorID("mailer"))
            let other = try ProcessorID("auditor")
            for processor in [mailer, other] {
                _ = try await store.markProcessed(ids, by: processor, at: nil)
            }
            try requireEqual(try await store.forgetProcessed([ids[1]], by: mailer), 1, "marks removed")
            try requireEqual(try await store.forgetProcessed([ids[1]], by: mailer), 0, "marks removed again")
            try requireEqual(try await store.markProcessed(ids, by: mailer, at: nil), [ids[1]], "new marks")
            try requireEqual(try await store.forgetProcessed(nil, by: mailer), 3, "all marks removed")
            try requireEqual(try await store.wasProcessed(ids, by: other), Set(ids), "marks of the other processor")
        },
        StoreCheck("marks: old ones are removed, so many at a time, and young ones stay") { harness in
            let (ids, store, mailer) = (harness.eventIDs(10), harness.store, try ProcessorID("mailer"))
            _ = try await store.markProcessed(Array(ids[..<6]), by: mailer, at: nil)
            harness.clock.advance(by: .seconds(60))
            let time = harness.clock.now
            harness.clock.advance(by: .seconds(60))
            _ = try await store.markProcessed(Array(ids[6...]), by: mailer, at: nil)
            // A mark that is made again keeps its time.
            _ = try await store.markProcessed([ids[0]], by: mailer, at: nil)
            var counts: [Int] = []
            for _ in 0..<4 {
                counts.append(try await store.cleanup(olderThan: time, limit: 4).marks)
            }
            try requireEqual(counts, [4, 2, 0, 0], "marks removed")
            try requireEqual(try await store.wasProcessed(ids, by: mailer), Set(ids[6...]), "marks that stay")
            try await requireError(.invalidArgument, from: "a limit of 0") {
                _ = try await store.cleanup(olderThan: time, limit: 0)
            }
        },
        StoreCheck("marks: they come with the settlement, or not at all") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let (events, store) = (try await harness.append(4, to: stream), harness.store)
            let processor = subscription.processor(of: consumer.consumer)
            let ids = events.map(\.id)
            let lease = try await harness.lease(0..<4, as: consumer)
            var settlement = Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [offsets(0, 2)])
            settlement.processed = ProcessedEvents(Array(ids[..<2]), by: processor)
            try await store.settle(settlement)
            try requireEqual(try await store.wasProcessed(ids, by: processor), Set(ids[..<2]), "marks")
            settlement.completed = [offsets(1, 3)]
            settlement.processed = ProcessedEvents([ids[2]], by: processor)
            try await requireError(.alreadySettled, from: "settling twice") { try await store.settle(settlement) }
            harness.clock.advance(by: .seconds(31))
            settlement.completed = [offsets(2, 4)]
            settlement.processed = ProcessedEvents(Array(ids[2...]), by: processor)
            try await requireError(.leaseExpired, from: "settling too late") { try await store.settle(settlement) }
            try requireEqual(try await store.wasProcessed(ids, by: processor), Set(ids[..<2]), "marks at the end")
        },
        StoreCheck("marks: an event that is marked already is settled all the same") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let (ids, store) = (try await harness.append(2, to: stream).map(\.id), harness.store)
            let processor = subscription.processor(of: consumer.consumer)
            _ = try await store.markProcessed(ids[0], by: processor)
            let lease = try await harness.lease(0..<2, as: consumer)
            var settlement = Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [lease.offsets])
            settlement.processed = ProcessedEvents(ids, by: processor)
            try await store.settle(settlement)
            try await harness.requirePosition(2, of: subscription)
            try requireEqual(try await store.wasProcessed(ids, by: processor), Set(ids), "marks")
        },
        StoreCheck("marks: they come with a question for more, too") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let (ids, store) = (try await harness.append(4, to: stream).map(\.id), harness.store)
            let processor = subscription.processor(of: consumer.consumer)
            let lease = try await harness.lease(0..<2, as: consumer)
            var settlement = Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [lease.offsets])
            settlement.processed = ProcessedEvents(Array(ids[..<2]), by: processor)
            let result = try await store.dequeue(as: consumer, limit: 2, settling: settlement)
            guard case .lease(let next) = result else {
                throw ConformanceFailure(message: "expected a lease, got \(result)", file: #fileID, line: #line)
            }
            try requireEqual(next.events.map(\.id), Array(ids[2...]), "the next events")
            try requireEqual(try await store.wasProcessed(ids, by: processor), Set(ids[..<2]), "marks")
        },
        StoreCheck("marks: an event that returns from the dead letters loses its own, and only its own") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let (ids, store) = (try await harness.append(3, to: stream).map(\.id), harness.store)
            let processor = subscription.processor(of: consumer.consumer)
            let other = try ProcessorID("auditor")
            for _ in 0..<3 {
                try await harness.giveUpNext(as: consumer)
            }
            for marker in [processor, other] {
                _ = try await store.markProcessed(ids, by: marker, at: nil)
            }
            _ = try await store.redrive(offsets(1, 2), of: subscription.id)
            try requireEqual(try await store.wasProcessed(ids, by: processor), [ids[0], ids[2]], "marks")
            try requireEqual(try await store.wasProcessed(ids, by: other), Set(ids), "marks of another processor")
        },
        StoreCheck("marks: moving a position back removes none") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let (ids, store) = (try await harness.append(2, to: stream).map(\.id), harness.store)
            let processor = subscription.processor(of: consumer.consumer)
            let lease = try await harness.lease(0..<2, as: consumer)
            var settlement = Settlement(of: lease.holder, leaseEpoch: lease.epoch, completed: [lease.offsets])
            settlement.processed = ProcessedEvents(ids, by: processor)
            try await store.settle(settlement)
            let position = try await store.positions(of: subscription.id).first
            let epoch = position?.epoch ?? 0
            _ = try await store.setOffset(.zero, of: nil, in: subscription.id, epoch: epoch)
            try await harness.lease(0..<2, as: consumer)
            try requireEqual(try await store.wasProcessed(ids, by: processor), Set(ids), "marks")
        },
        StoreCheck("marks: in a transaction they are seen at once, and go with it") { harness in
            guard let store = harness.store as? any TransactionalStore else { return }
            let (ids, mailer) = (harness.eventIDs(3), try ProcessorID("mailer"))
            _ = try await harness.store.markProcessed(ids[0], by: mailer)
            do {
                try await store.withTransaction { transaction in
                    try requireEqual(try transaction.markProcessed(ids, by: mailer), Set(ids[1...]), "new marks")
                    try requireEqual(try transaction.markProcessed(ids, by: mailer), [], "new marks again")
                    throw GivenUp()
                }
                try require(false, "an error inside of the transaction was not passed on")
            } catch is GivenUp {}
            try requireEqual(try await harness.store.wasProcessed(ids, by: mailer), [ids[0]], "marks after it")
            let new = try await store.withTransaction { try $0.markProcessed(ids, by: mailer) }
            try requireEqual(new, Set(ids[1...]), "new marks of the next")
            try requireEqual(try await harness.store.wasProcessed(ids, by: mailer), Set(ids), "marks at the end")
        },
    ]

    private struct GivenUp: Error {}
}

extension StoreHarness {
    /// Ids of events that are in no stream.
    func eventIDs(_ count: Int) -> [MessageID] {
        (0..<count).map { _ in ids.next() }
    }
}
