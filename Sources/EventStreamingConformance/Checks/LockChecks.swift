import EventStreamingCore
import EventStreamingTesting

/// Locks by name and by stretches of offsets, and what is taken together with them.
enum LockChecks {
    static let all: [StoreCheck] = [
        StoreCheck("locks: nobody has one twice, not even who has it already") { harness in
            let store = harness.store
            guard let lock = try await store.tryAcquireLock("import", for: .seconds(10)) else {
                throw ConformanceFailure(message: "a free lock was not given", file: #fileID, line: #line)
            }
            try requireEqual(try await store.tryAcquireLock("import", for: .seconds(10)), nil, "the lock, again")
            let other = try await store.tryAcquireLock("export", for: .seconds(10))
            try require(other != nil, "another name was not free")
            try requireEqual(try await store.releaseLock(lock), true, "whether it was held")
            try requireEqual(try await store.releaseLock(lock), false, "whether it was held still")
            let next = try await store.tryAcquireLock("import", for: .seconds(10))
            try require(next != nil && next?.token != lock.token, "the next one has no token of its own")
        },
        StoreCheck("locks: they end by the clock, and a late release takes nothing from the next holder") { harness in
            let store = harness.store
            let first = try await store.tryAcquireLocks([IdempotencyKey("import")], for: .seconds(10))
            harness.clock.advance(by: .seconds(10) - .nanoseconds(1000))
            try requireEqual(try await store.tryAcquireLock("import", for: .seconds(10)), nil, "just before the end")
            harness.clock.advance(by: .nanoseconds(1000))
            let second = try await store.tryAcquireLocks([IdempotencyKey("import")], for: .seconds(10))
            try requireEqual(second.count, 1, "locks after the end")
            try requireEqual(try await store.releaseLocks(first), 0, "locks given back too late")
            try requireEqual(try await store.tryAcquireLock("import", for: .seconds(1)), nil, "a lock that is held")
            try requireEqual(try await store.releaseLocks(second), 1, "locks given back")
        },
        StoreCheck("locks: a lock that has ended and that nobody took is not given back either") { harness in
            let locks = try await harness.store.tryAcquireLocks([IdempotencyKey("import")], for: .seconds(10))
            harness.clock.advance(by: .seconds(11))
            try requireEqual(try await harness.store.releaseLocks(locks), 0, "locks given back")
        },
        StoreCheck("locks: stretches of offsets exclude each other where they overlap") { harness in
            let store = harness.store
            for (lower, upper, expected) in [
                (10, 20, 1), (0, 10, 1), (20, 30, 1), (5, 15, 0), (19, 21, 0), (12, 13, 0), (0, 100, 0), (30, 31, 1),
            ] as [(Int64, Int64, Int)] {
                let key = IdempotencyKey("orders", offsets: offsets(lower, upper))
                let locks = try await store.tryAcquireLocks([key], for: .seconds(10))
                try requireEqual(locks.count, expected, "locks of \(lower)..<\(upper)")
            }
            try requireEqual(try await store.tryAcquireLock("orders", for: .seconds(10)), nil, "the whole name")
        },
        StoreCheck("locks: several at once are taken each for itself") { harness in
            let store = harness.store
            _ = try await store.tryAcquireLock("b", for: .seconds(10))
            let keys = ["c", "b", "a"].map { IdempotencyKey($0) }
            let locks = try await store.tryAcquireLocks(keys, for: .seconds(10))
            try requireEqual(locks.map(\.key.name), ["c", "a"], "the locks taken")
            try requireEqual(try await store.releaseLocks(locks), 2, "locks given back")
        },
        StoreCheck("locks: of many tasks one gets it") { harness in
            let store = harness.store
            let locks = try await withThrowingTaskGroup(of: IdempotencyLock?.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await store.tryAcquireLock("import", for: .seconds(10)) }
                }
                return try await group.reduce(into: []) { $0.append($1) }.compactMap { $0 }
            }
            try requireEqual(locks.count, 1, "locks taken")
        },
        StoreCheck("locks: what cannot be locked is refused") { harness in
            let store = harness.store
            let long = String(repeating: "x", count: IdempotencyKey.maximumNameLength)
            _ = try await store.tryAcquireLock(long, for: .seconds(1))
            for name in ["", "a\u{0}b", long + "x"] {
                try await requireError(.invalidArgument, from: "the name '\(name.prefix(8))'") {
                    _ = try await store.tryAcquireLock(name, for: .seconds(1))
                }
            }
            for duration in [Duration.zero, .seconds(-1), .seconds(366 * 86_400)] {
                try await requireError(.invalidArgument, from: "a lock for \(duration)") {
                    _ = try await store.tryAcquireLock("import", for: duration)
                }
            }
            let overlapping = [offsets(0, 10), offsets(9, 12)].map { IdempotencyKey("orders", offsets: $0) }
            try await requireError(.invalidArgument, from: "locks that overlap each other") {
                _ = try await store.tryAcquireLocks(overlapping, for: .seconds(1))
            }
            try requireEqual(try await store.tryAcquireLocks([], for: .seconds(1)), [], "no locks")
            try requireEqual(try await store.releaseLocks([]), 0, "no locks given back")
        },
        StoreCheck("locks: a claim says what was processed, or nothing while somebody else is at it") { harness in
            let (ids, store, mailer) = (harness.eventIDs(3), harness.store, try ProcessorID("mailer"))
            _ = try await store.markProcessed(ids[1], by: mailer)
            let key = IdempotencyKey(processing: offsets(0, 3), by: mailer)
            let claim = try await store.claim(ids, by: mailer, locking: key, for: .seconds(10))
            try requireEqual(claim?.processed, [ids[1]], "what was processed")
            let part = IdempotencyKey(processing: offsets(2, 3), by: mailer)
            let second = try await store.claim([ids[2]], by: mailer, locking: part, for: .seconds(10))
            try requireEqual(second, nil, "a claim of what is locked")
            harness.clock.advance(by: .seconds(10))
            let third = try await store.claim([ids[2]], by: mailer, locking: part, for: .seconds(10))
            try requireEqual(third?.processed, [], "what was processed of the last event")
        },
        StoreCheck("locks: one is given back with the settlement, and not when that is refused") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let (ids, store) = (try await harness.append(2, to: stream).map(\.id), harness.store)
            let processor = subscription.processor(of: consumer.consumer)
            let key = IdempotencyKey(processing: offsets(0, 2), by: processor)
            let lease = try await harness.lease(0..<2, as: consumer)
            let claim = try await store.claim(ids, by: processor, locking: key, for: .seconds(3600))
            var settlement = Settlement(of: lease.holder, leaseEpoch: lease.epoch + 1, completed: [lease.offsets])
            settlement.processed = ProcessedEvents(ids, by: processor, releasing: claim?.lock)
            try await requireError(.leaseExpired, from: "an unknown lease") { try await store.settle(settlement) }
            try requireEqual(try await store.tryAcquireLocks([key], for: .seconds(1)), [], "the lock meanwhile")
            settlement.leaseEpoch = lease.epoch
            try await store.settle(settlement)
            let again = try await store.claim(ids, by: processor, locking: key, for: .seconds(10))
            try requireEqual(again?.processed, Set(ids), "what was processed")
        },
        StoreCheck("locks: those that have ended are cleaned up") { harness in
            let (store, time) = (harness.store, harness.clock.now)
            for number in 0..<5 {
                _ = try await store.tryAcquireLock("lock \(number)", for: .seconds(number < 3 ? 10 : 100))
            }
            harness.clock.advance(by: .seconds(50))
            var counts: [Int] = []
            for _ in 0..<3 {
                counts.append(try await store.cleanup(olderThan: time, limit: 2).locks)
            }
            try requireEqual(counts, [2, 1, 0], "locks removed")
            try requireEqual(try await store.tryAcquireLock("lock 4", for: .seconds(1)), nil, "a lock that is held")
        },
    ]
}
