import EventStreamingCore
import EventStreamingTesting

enum DeadLetterChecks {
    static let all: [StoreCheck] = [
        StoreCheck("dead letters: an event is given up after its last attempt, with everything known") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.retry.maximumAttempts = 3 }
            try await harness.append(1, to: stream)
            let event = NewEvent(
                id: harness.ids.next(),
                type: EventType(name: "Paid", version: 2),
                payload: .encoded(Array(0...255)),
                size: 256,
                context: EventContext(
                    correlationID: try WorkflowID("w"),
                    causationID: harness.ids.next(),
                    headers: ["a": "\0b", "dead": ""]
                )
            )
            let appended = harness.clock.now
            _ = try await harness.store.enqueue([event], to: stream)
            harness.clock.advance(by: .seconds(60))
            let first = harness.clock.now
            let fine = try await harness.lease(0..<1, as: consumer)
            try await harness.store.acknowledge(fine)
            for attempt in 1...3 {
                let lease = try await harness.lease(1..<2, as: consumer, attempt: attempt)
                try await harness.store.nack(lease.offsets, of: lease, reason: "failure \(attempt)")
                harness.clock.advance(by: .seconds(10))
            }
            try await harness.requireNothing(for: consumer)
            try await harness.requirePosition(2, of: subscription)
            try requireEqual(try await harness.progress(of: subscription).deadLetters, 1, "dead letters")
            let letters = try await harness.deadLetters(of: subscription)
            try requireEqual(letters.count, 1, "number of dead letters")
            let letter = letters[0]
            try requireEqual(letter.number, .zero, "number")
            try requireEqual(letter.stream, stream, "stream")
            try requireEqual(letter.subscription, subscription.id, "subscription")
            try requireEqual(letter.consumer, nil, "consumer")
            try requireEqual(letter.reason, "failure 3", "reason")
            try requireEqual(letter.attempts, 3, "attempts")
            try requireEqual(letter.firstFailure, first, "first failure")
            try requireEqual(letter.lastFailure, first + .seconds(20), "last failure")
            try requireEqual(letter.event.offset, StreamOffset(1), "offset")
            try requireEqual(letter.event.timestamp, appended, "timestamp")
            try requireEqual(letter.event.id, event.id, "id")
            try requireEqual(letter.event.type, event.type, "type")
            try requireEqual(letter.event.bytes, Array(0...255), "payload")
            try requireEqual(letter.event.size, 256, "size")
            try requireEqual(letter.event.correlationID, event.context.correlationID, "correlation")
            try requireEqual(letter.event.causationID, event.context.causationID, "causation")
            try requireEqual(letter.event.headers, event.context.headers, "headers")
        },
        StoreCheck("dead letters: the dead-letter stream is an ordinary persistent stream") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            let name = subscription.deadLetterStream
            try requireEqual(try await harness.store.metadata(of: name).type, .persistent, "type")
            let events = try await harness.append(2, to: stream)
            for _ in 0..<2 {
                try await harness.giveUpNext(as: consumer)
            }
            let records = try await harness.readAll(name)
            try requireEqual(records.map(\.type), events.map(\.type), "types")
            try requireEqual(records.map(\.causationID), events.map(\.id), "caused by the events given up")
            try requireEqual(records.map(\.bytes), events.indices.map { Array(String($0).utf8) }, "payloads")
            let letters = records.compactMap { DeadLetter(record: $0) }
            try requireEqual(letters.map(\.event.id), events.map(\.id), "ids")
            try requireEqual(letters.map(\.number.rawValue), [0, 1], "numbers")
            let watcher = try await harness.makeSubscription("watcher", of: name)
            let another = try await harness.register("c1", of: watcher)
            try await harness.lease(0..<2, as: another)
        },
        StoreCheck("dead letters: an event can be given up at once") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(3, to: stream)
            let lease = try await harness.lease(0..<3, as: consumer)
            try await harness.store.nack(offsets(1, 3), of: lease, action: .deadLetter, reason: "poison")
            try await harness.requirePosition(0, of: subscription)
            try await harness.store.acknowledge(offsets(0, 1), of: lease)
            try await harness.requirePosition(3, of: subscription)
            let letters = try await harness.deadLetters(of: subscription)
            try requireEqual(letters.map(\.event.offset.rawValue), [1, 2], "offsets")
            try requireEqual(letters.map(\.reason), ["poison", "poison"], "reasons")
            try requireEqual(letters.map(\.attempts), [1, 1], "attempts")
            try await harness.requireNothing(for: consumer)
        },
        StoreCheck("dead letters: with one attempt the first failure is the last") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.retry.maximumAttempts = 1 }
            try await harness.append(1, to: stream)
            let lease = try await harness.lease(0..<1, as: consumer)
            try await harness.store.nack(
                lease.offsets,
                of: lease,
                action: .retry(after: .seconds(1)),
                reason: "no"
            )
            try requireEqual(try await harness.deadLetters(of: subscription).count, 1, "dead letters")
            try await harness.requirePosition(1, of: subscription)
        },
        StoreCheck("dead letters: of a broadcast belong to one consumer") { harness in
            let stream = try await harness.makeStream()
            let subscription = try await harness.makeSubscription(of: stream, .broadcast)
            let first = try await harness.register("first", of: subscription)
            let second = try await harness.register("second", of: subscription)
            try await harness.append(2, to: stream)
            try await harness.giveUpNext(as: first)
            let letters = try await harness.deadLetters(of: subscription)
            try requireEqual(letters.map(\.consumer), [first.consumer], "consumers")
            try await harness.requirePosition(1, of: subscription, consumer: "first")
            try await harness.requirePosition(0, of: subscription, consumer: "second")
            let progress = try await harness.store.progress(of: subscription.id)
            try requireEqual(progress.map(\.deadLetters), [1, 0], "dead letters of each position")
            try await harness.lease(0..<2, as: second)
        },
        StoreCheck("dead letters: pages, limits and unknown subscriptions") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(5, to: stream)
            for _ in 0..<5 {
                try await harness.giveUpNext(as: consumer)
            }
            let pages: [(Int64, Int, [Int64])] = [
                (0, 2, [0, 1]), (2, 2, [2, 3]), (4, 2, [4]), (5, 2, []), (.max, 1, []), (1, .max, [1, 2, 3, 4]),
            ]
            for (number, limit, expected) in pages {
                let page = try await harness.store.deadLetters(
                    of: subscription.id,
                    from: StreamOffset(number),
                    limit: limit
                )
                try requireEqual(page.map(\.number.rawValue), expected, "page from \(number)")
            }
            for limit in [0, -1, Int.min] {
                try await requireError(.invalidArgument, from: "page with limit \(limit)") {
                    _ = try await harness.store.deadLetters(of: subscription.id, from: .zero, limit: limit)
                }
            }
            let unknown = try SubscriptionID("nothing")
            try await requireError(.unknownSubscription, from: "dead letters") {
                _ = try await harness.store.deadLetters(of: unknown, from: .zero, limit: 1)
            }
            try await requireError(.unknownSubscription, from: "redrive") {
                _ = try await harness.store.redrive(offsets(0, 1), of: unknown)
            }
        },
        StoreCheck("dead letters: a long reason is shortened, a strange one kept") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue()
            try await harness.append(3, to: stream)
            let long = String(repeating: "ü", count: 5000)
            for reason in [long, "", "\0\n😀'\""] {
                try await harness.giveUpNext(as: consumer, reason: reason)
            }
            let reasons = try await harness.deadLetters(of: subscription).map(\.reason)
            try requireEqual(reasons.count, 3, "dead letters")
            let length = reasons[0].utf8.count
            try require(
                length <= Rejection.maximumReasonLength && length > 900 && long.hasPrefix(reasons[0]),
                "the reason was not shortened well, to \(length) bytes"
            )
            try requireEqual(Array(reasons.dropFirst()), ["", "\0\n😀'\""], "short reasons")
        },
        StoreCheck("dead letters: what is given up because it ran out is counted by the call that finds it") {
            harness in
            let stream = try await harness.makeStream()
            let queue = try await harness.makeSubscription("queue", of: stream) { $0.retry.maximumAttempts = 1 }
            let broadcast = try await harness.makeSubscription("broadcast", of: stream, .broadcast) {
                $0.retry.maximumAttempts = 1
            }
            let consumers = [
                try await harness.register("c1", of: queue), try await harness.register("c2", of: broadcast),
            ]
            try await harness.append(3, to: stream)
            for consumer in consumers {
                try await harness.lease(0..<3, as: consumer)
            }
            harness.clock.advance(by: .seconds(30))
            try requireEqual(try await harness.progress(of: queue).deadLetters, 3, "dead letters")
            try requireEqual(try await harness.progress(of: broadcast, consumer: "c2").deadLetters, 3, "dead letters")
            try requireEqual(try await harness.progress(of: queue).deadLetters, 3, "dead letters afterwards")
        },
        StoreCheck("dead letters: what ran out belongs to the list, and can be redriven, at once") { harness in
            let (stream, subscription, consumer) = try await harness.makeQueue { $0.retry.maximumAttempts = 1 }
            try await harness.append(2, to: stream)
            try await harness.lease(0..<1, as: consumer)
            harness.clock.advance(by: .seconds(30))
            try requireEqual(
                try await harness.deadLetters(of: subscription).map(\.event.offset.rawValue), [0], "listed")
            try await harness.lease(1..<2, as: consumer)
            harness.clock.advance(by: .seconds(30))
            try requireEqual(try await harness.store.redrive(offsets(0, 2), of: subscription.id), 2, "redriven")
            try requireEqual(try await harness.progress(of: subscription).deadLetters, 0, "dead letters left")
        },
    ]
}
