import EventStreamingCore

enum ConcurrencyChecks {
    static let all: [StoreCheck] = [
        StoreCheck("concurrency: batches of many writers are dense and not mixed") { harness in
            let stream = try await harness.makeStream()
            let (writers, rounds, size) = (16, 20, 5)
            let results = try await withThrowingTaskGroup(of: [(ids: [MessageID], result: AppendResult)].self) {
                group in
                for _ in 0..<writers {
                    group.addTask {
                        var results: [(ids: [MessageID], result: AppendResult)] = []
                        for _ in 0..<rounds {
                            let events = harness.events(size)
                            results.append((events.map(\.id), try await harness.store.enqueue(events, to: stream)))
                        }
                        return results
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let stored = try await harness.readAll(stream)
            try requireEqual(stored.count, writers * rounds * size, "number of events")
            try requireEqual(stored.map(\.offset.rawValue), stored.indices.map { Int64($0) }, "offsets")
            for (ids, result) in results {
                let range = Int(result.offsets.lowerBound.rawValue)..<Int(result.offsets.upperBound.rawValue)
                try requireEqual(stored[range].map(\.id), ids, "events at \(range)")
            }
        },
        StoreCheck("concurrency: each writer's events stay in its order") { harness in
            let stream = try await harness.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        for number in 0..<40 {
                            _ = try await harness.store.enqueue([harness.event("\(writer) \(number)")], to: stream)
                        }
                    }
                }
                try await group.waitForAll()
            }
            var next: [Substring: Int] = [:]
            for event in try await harness.readAll(stream) {
                let parts = String(decoding: event.bytes ?? [], as: UTF8.self).split(separator: " ")
                try requireEqual(Int(parts[1]), next[parts[0], default: 0], "number of writer \(parts[0])")
                next[parts[0], default: 0] += 1
            }
        },
        StoreCheck("concurrency: a reader never sees a part of a batch") { harness in
            let stream = try await harness.makeStream()
            let size = 7
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<30 {
                            try await harness.append(size, to: stream)
                        }
                    }
                }
                for _ in 0..<2 {
                    group.addTask {
                        var seen = 0
                        var rounds = 0
                        while seen < 4 * 30 * size {
                            rounds += 1
                            try require(rounds < 200_000, "the reader does not see all events")
                            let page = try await harness.store.read(
                                stream,
                                from: .zero,
                                direction: .forward,
                                limit: .max
                            )
                            try require(page.count.isMultiple(of: size), "a page with \(page.count) events")
                            try require(page.count >= seen, "a page with fewer events than before")
                            seen = page.count
                            let metadata = try await harness.store.metadata(of: stream)
                            try require(metadata.count.isMultiple(of: size), "a length of \(metadata.count)")
                            await Task.yield()
                        }
                    }
                }
                try await group.waitForAll()
            }
        },
        StoreCheck("concurrency: one of many takes a name over in the end") { harness in
            let (stream, subscription, _) = try await harness.makeQueue()
            try await harness.append(3, to: stream)
            let registrations = try await withThrowingTaskGroup(of: ConsumerRegistration.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await harness.register("c1", of: subscription) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let epochs = registrations.map(\.epoch)
            try requireEqual(Set(epochs).count, 16, "different epochs")
            for registration in registrations {
                if registration.epoch == epochs.max() {
                    try await harness.lease(0..<3, as: registration)
                } else {
                    try await requireError(.consumerReplaced, from: "dequeue by an older registration") {
                        _ = try await harness.store.dequeue(as: registration, limit: 1)
                    }
                }
            }
        },
        StoreCheck("concurrency: of many tasks that settle the same lease one succeeds") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            for round in 0..<20 {
                try await harness.append(1, to: stream)
                let lease = try await harness.lease(Int64(round)..<Int64(round + 1), as: consumer)
                let successes = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            do throws(EventStreamingError) {
                                try await harness.store.acknowledge(lease)
                                return 1
                            } catch {
                                try require(
                                    error.code == .leaseExpired || error.code == .alreadySettled,
                                    "unexpected error \(error)"
                                )
                                return 0
                            }
                        }
                    }
                    return try await group.reduce(0, +)
                }
                try requireEqual(successes, 1, "settlements that succeeded")
            }
            try await harness.requirePosition(20, of: subscription)
        },
        StoreCheck("concurrency: failures and releases under load lose nothing") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream) {
                $0.retry.maximumAttempts = 1_000_000
                $0.retry.initialDelay = .zero
            }
            let total = 300
            try await harness.append(total, to: stream)
            let finished = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for number in 0..<8 {
                    group.addTask {
                        var random = SeededGenerator(seed: UInt64(number))
                        var consumer = try await harness.register("c\(number)", of: subscription)
                        var finished: [Int64] = []
                        var rounds = 0
                        while try await harness.progress(of: subscription).position.rawValue < Int64(total) {
                            rounds += 1
                            try require(rounds < 200_000, "the position does not reach the end")
                            let limit = Int.random(in: 1...9, using: &random)
                            guard case .lease(let lease) = try await harness.store.dequeue(as: consumer, limit: limit)
                            else {
                                await Task.yield()
                                continue
                            }
                            switch Int.random(in: 0..<8, using: &random) {
                            case 0: try await harness.store.nack(lease.offsets, of: lease, reason: "no")
                            case 1: try await harness.store.release(lease)
                            case 2:
                                try await harness.store.unregisterConsumer(consumer)
                                consumer = try await harness.register("c\(number)", of: subscription)
                            default:
                                try await harness.store.acknowledge(lease)
                                finished += lease.events.map(\.offset.rawValue)
                            }
                        }
                        return finished
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try requireEqual(finished.sorted(), (0..<Int64(total)).map { $0 }, "events finished, each once")
        },
        StoreCheck("concurrency: of many tasks that redrive the same dead letters one redrives each") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            for round in 0..<Int64(10) {
                try await harness.append(2, to: stream)
                try await harness.giveUpNext(as: consumer)
                try await harness.giveUpNext(as: consumer)
                let redriven = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<8 {
                        group.addTask { try await harness.store.redrive(offsets(0, .max), of: subscription.id) }
                    }
                    return try await group.reduce(0, +)
                }
                try requireEqual(redriven, 2, "redriven")
                var returned: [Int64] = []
                try await harness.forEachLease(as: consumer) { lease in
                    returned += lease.events.map(\.offset.rawValue)
                    try await harness.store.acknowledge(lease)
                }
                try requireEqual(returned.sorted(), [2 * round, 2 * round + 1], "events that returned")
            }
        },
    ]
}
