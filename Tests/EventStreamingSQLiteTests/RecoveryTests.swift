import EventStreamingCore
import EventStreamingSQLite
import EventStreamingTesting
import GRDB
import Testing

/// What the next process finds. A store that goes without a word is, to the file, a process that died.
@Suite("An SQLite file opened again", .timeLimit(.minutes(5)))
struct RecoveryTests {
    @Test("Positions and unfinished events are kept; a lease of before counts as an attempt")
    func leases() async throws {
        try await Fixture.with { fixture in
            let (events, old) = try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store)
                let events = try await fixture.append(10, to: store)
                let consumer = try await fixture.register(in: store)
                try await store.acknowledge(try await fixture.lease(3, as: consumer, in: store))
                return (events, try await fixture.lease(4, as: consumer, in: store))
            }
            try await fixture.withStore { store in
                #expect(try await fixture.position(in: store) == 3)
                #expect(try await store.consumers(of: fixture.subscription).map(\.isConnected) == [false])
                let consumer = try await fixture.register(in: store)
                #expect(consumer.epoch > old.holder.epoch)
                #expect(await storeError { try await store.acknowledge(old) }?.code == .consumerReplaced)
                let again = try await fixture.lease(10, as: consumer, in: store)
                #expect(again.events.map(\.id) == events[3..<7].map(\.id))
                #expect(again.attempt == 2)
                #expect(again.epoch > old.epoch)
                let rest = try await fixture.lease(10, as: consumer, in: store)
                #expect(rest.events.map(\.id) == events[7...].map(\.id))
                #expect(rest.attempt == 1)
            }
        }
    }

    @Test("An event whose last attempt died with the process is a dead letter, once")
    func lastAttempt() async throws {
        try await Fixture.with { fixture in
            for _ in 1...2 {
                try await fixture.withStore { store in
                    try await fixture.makeStream(in: store)
                    try await fixture.makeSubscription(in: store) { $0.retry.maximumAttempts = 2 }
                    if try await store.metadata(of: fixture.stream).count == 0 {
                        try await fixture.append(1, to: store)
                    }
                    _ = try await fixture.lease(1, as: try await fixture.register(in: store), in: store)
                }
            }
            for _ in 1...2 {
                try await fixture.withStore { store in
                    #expect(try await fixture.position(in: store) == 1)
                    let letters = try await store.deadLetters(of: fixture.subscription, from: .zero, limit: 10)
                    #expect(letters.map(\.attempts) == [2])
                    #expect(letters.first?.reason.contains("the process ended") == true)
                }
            }
        }
    }

    @Test("What waits for its time still does, by the clock on the wall")
    func redelivery() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store) { $0.consumerTimeout = .seconds(600) }
                try await fixture.append(2, to: store)
                let lease = try await fixture.lease(2, as: try await fixture.register(in: store), in: store)
                let first = lease.offsets.lowerBound
                try await store.nack(
                    first..<first.advanced(by: 1),
                    of: lease,
                    action: .retry(after: .seconds(60)),
                    reason: "later"
                )
                try await store.acknowledge(first.advanced(by: 1)..<first.advanced(by: 2), of: lease)
            }
            fixture.clock.advance(by: .seconds(20))
            try await fixture.withStore { store in
                let consumer = try await fixture.register(in: store)
                guard case .empty(let until) = try await store.dequeue(as: consumer, limit: 10) else {
                    Issue.record("delivered too early")
                    return
                }
                #expect(until == fixture.clock.uptime + .seconds(40))
                fixture.clock.advance(by: .seconds(40))
                let lease = try await fixture.lease(10, as: consumer, in: store)
                #expect(lease.offsets == StreamOffset(0)..<StreamOffset(1))
                #expect(lease.attempt == 2)
            }
        }
    }

    @Test("Leases of before have ended for good, also when the next commit fails")
    func endedForGood() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store)
                try await fixture.append(2, to: store)
                _ = try await fixture.lease(2, as: try await fixture.register(in: store), in: store)
            }
            try await fixture.withStore { store in
                // The first call only looks.
                #expect(try await store.consumers(of: fixture.subscription).map(\.isConnected) == [false])
                _ = await storeError {
                    try await store.withSQLiteTransaction { try $0.database.execute(sql: "ROLLBACK") }
                }
                #expect(try await store.consumers(of: fixture.subscription).map(\.isConnected) == [false])
                let other = try await fixture.register("two", in: store)
                #expect(try await fixture.lease(2, as: other, in: store).attempt == 2)
            }
        }
    }

    @Test("Subscriptions are known without being declared again, with all their settings")
    func definitions() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.append(1, to: store)
                try await fixture.makeSubscription(.broadcast, in: store) { definition in
                    definition.eventTypes = ["Wanted", "Other \0 type"]
                    definition.start = .offset(StreamOffset(1))
                    definition.visibilityTimeout = .seconds(7)
                }
            }
            try await fixture.withStore { store in
                let consumer = try await fixture.register(in: store)
                #expect(try await fixture.position(in: store) == 1)
                let wanted = fixture.events(1, type: "Wanted") + fixture.events(1, type: "Other \0 type")
                _ = try await store.enqueue(fixture.events(3) + wanted, to: fixture.stream)
                let lease = try await fixture.lease(10, as: consumer, in: store)
                #expect(lease.events.map(\.id) == wanted.map(\.id))
                fixture.clock.advance(by: .seconds(6))
                try await store.heartbeat(consumer, extending: .none)
                fixture.clock.advance(by: .seconds(1))
                #expect(await storeError { try await store.acknowledge(lease) }?.code == .leaseExpired)
            }
        }
    }

    @Test("Dead letters that were redriven come back with their event, even when its stream has lost it")
    func redriven() async throws {
        try await Fixture.with { fixture in
            let context = EventContext(
                correlationID: try WorkflowID("order-1"),
                causationID: fixture.ids.next(),
                headers: ["a": "\0b"]
            )
            let event = NewEvent(
                id: fixture.ids.next(),
                type: EventType(name: "OrderPlaced", version: 3),
                payload: .encoded([]),
                size: 12,
                context: context
            )
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store)
                _ = try await store.enqueue([event], to: fixture.stream)
                let lease = try await fixture.lease(1, as: try await fixture.register(in: store), in: store)
                try await store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "broken")
                #expect(try await store.redrive(.zero..<StreamOffset(10), of: fixture.subscription) == 1)
                #expect(try await store.trim(fixture.stream, before: StreamOffset(1)) == 1)
            }
            try await fixture.withStore { store in
                let lease = try await fixture.lease(1, as: try await fixture.register(in: store), in: store)
                #expect(lease.isRedriven)
                let stored = try #require(lease.events.first)
                #expect(stored.id == event.id)
                #expect(stored.type == event.type)
                #expect(stored.size == 12)
                #expect(stored.correlationID == context.correlationID)
                #expect(stored.causationID == context.causationID)
                #expect(stored.headers == context.headers)
                if case .encoded(let bytes) = stored.payload { #expect(bytes.isEmpty) }
                try await store.acknowledge(lease)
                #expect(try await store.progress(of: fixture.subscription).first?.isFinished == true)
            }
        }
    }

    @Test("Numbers of a stream are kept: what was trimmed, dropped, how large it is, and its settings")
    func numbers() async throws {
        try await Fixture.with { fixture in
            let definition = StreamDefinition(
                name: fixture.stream,
                type: .persistent,
                capacity: 7,
                overflow: .dropOldest,
                retention: RetentionPolicy(maximumAge: .days(2), maximumCount: 5, maximumBytes: 1000)
            )
            let before = try await fixture.withStore { store in
                try await store.createStream(definition)
                try await fixture.append(10, bytes: 11, to: store)
                _ = try await store.applyRetention(to: fixture.stream)
                return try await store.metadata(of: fixture.stream)
            }
            #expect(before.first == StreamOffset(5))
            #expect(before.bytes == 55)
            #expect(before.dropped == 3)
            try await fixture.withStore { store in
                #expect(try await store.metadata(of: fixture.stream) == before)
                try await fixture.append(4, to: store)
                let after = try await store.metadata(of: fixture.stream)
                #expect(after.first == StreamOffset(7))
                #expect(after.bytes == 3 * 11 + 4 * 8)
            }
        }
    }

    @Test("Time does not go back for a stream, also when the clock did while nobody had the file")
    func timestamps() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                fixture.clock.advance(by: .seconds(100))
                try await fixture.append(1, to: store)
            }
            let store = try SQLiteEventStreamStore(path: fixture.path, clock: EarlierClock())
            try await fixture.append(1, to: store)
            let events = try await store.read(fixture.stream, from: .zero, direction: .forward, limit: 10)
            #expect(events.count == 2)
            #expect(events[0].timestamp == events[1].timestamp)
        }
    }

    private struct EarlierClock: EventStreamingClock {
        var now: Timestamp { Timestamp(nanosecondsSinceEpoch: 1) }
        var uptime: Duration { .seconds(1) }
        func sleep(until deadline: Duration) async throws { throw CancellationError() }
    }
}
