import EventStreamingCore
import EventStreamingSQLite
import EventStreamingTesting
import GRDB
import Testing

/// A database that fails while it is in use.
@Suite("An SQLite database that fails", .timeLimit(.minutes(5)))
struct FailureTests {
    @Test("A full disk is told, nothing is lost or half done, and the store goes on when there is room")
    func full() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store)
                let kept = try await fixture.append(3, to: store)
                let lease = try await fixture.lease(2, as: try await fixture.register(in: store), in: store)
                let pages = try await store.withSQLiteTransaction { transaction in
                    try Int.fetchOne(transaction.database, sql: "PRAGMA page_count") ?? 0
                }
                try await Self.limit(store, toPages: pages + 4)
                let large = fixture.events(40, bytes: 4_000)
                let append = StreamAppend(stream: fixture.stream, events: large)
                for _ in 1...3 {
                    let error = await storeError { _ = try await store.append(append) }
                    #expect(error?.code == .storeUnavailable)
                    #expect(error?.isRetriable == true)
                    #expect(error?.message.contains("full") == true)
                }
                #expect(try await fixture.ids(in: store) == kept.map(\.id))
                try await Self.limit(store, toPages: 1_000_000)
                #expect(try await store.append(append).offsets == StreamOffset(3)..<StreamOffset(43))
                // The lease of before is still known.
                try await store.acknowledge(lease)
                #expect(try await fixture.position(in: store) == 2)
            }
        }
    }

    private static func limit(_ store: SQLiteEventStreamStore, toPages count: Int) async throws {
        try await store.withSQLiteTransaction { transaction in
            _ = try Int.fetchOne(transaction.database, sql: "PRAGMA max_page_count = \(count)")
        }
    }

    @Test("Of many appends at a time, only the one that makes the database fail does")
    func isolated() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store)
                let consumer = try await fixture.register(in: store)
                try await store.withSQLiteTransaction { transaction in
                    try transaction.database.execute(
                        sql: """
                            CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.event_type = 'Poison'
                            BEGIN SELECT RAISE(ABORT, 'poison'); END
                            """
                    )
                }
                let outcomes = await withTaskGroup(of: (Bool, EventStreamingError.Code?).self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            let isPoison = number % 8 == 3
                            let events = fixture.events(2) + fixture.events(1, type: isPoison ? "Poison" : "Harmless")
                            let error = await storeError { _ = try await store.enqueue(events, to: fixture.stream) }
                            return (isPoison, error?.code)
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                for (isPoison, code) in outcomes {
                    #expect(code == (isPoison ? .storeUnavailable : nil))
                }
                #expect(try await fixture.ids(in: store).count == 35 * 3)
                let lease = try await fixture.lease(200, as: consumer, in: store)
                #expect(lease.events.count == 35 * 3)
                try await store.acknowledge(lease)
            }
        }
    }

    @Test("An event that is missing in the middle of a stream is told, not passed over")
    func missingEvent() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.append(5, to: store)
                try await store.withSQLiteTransaction { transaction in
                    try transaction.database.execute(sql: #"DELETE FROM events WHERE "offset" = 2"#)
                }
                let error = await storeError {
                    _ = try await store.read(fixture.stream, from: .zero, direction: .forward, limit: 10)
                }
                #expect(error?.code == .storeDamaged)
            }
        }
    }

    @Test(
        "Rows that nobody of us wrote are told",
        arguments: [
            "UPDATE streams SET type = 'river'", "UPDATE streams SET first = 9, head = 3",
            "UPDATE streams SET name = '../x' WHERE name = 'orders'",
            "UPDATE subscriptions SET semantics = 'never'", "UPDATE consumer_offsets SET kind = 'odd'",
            "UPDATE deliveries SET consumer = '../x'", "UPDATE deliveries SET remaining = '5-3'",
            "UPDATE deliveries SET span_start = -1",
        ])
    func foreignRows(_ statement: String) async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store)
                try await fixture.append(2, to: store)
                _ = try await fixture.lease(2, as: try await fixture.register(in: store), in: store)
            }
            try fixture.withConnection { database in
                try database.execute(sql: statement)
                #expect(database.changesCount > 0)
            }
            let error = await storeError { try await fixture.withStore { _ = try await $0.expireConsumers() } }
            #expect(error?.code == .storeDamaged)
        }
    }

    @Test("A workflow id that nobody of us wrote is told", arguments: [true, false])
    func foreignEvent(isRead: Bool) async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store)
                try await fixture.append(2, to: store)
                try await store.withSQLiteTransaction { transaction in
                    try transaction.database.execute(sql: "UPDATE events SET correlation_id = 'a' || char(7)")
                }
                let error = await storeError {
                    if isRead {
                        _ = try await store.read(fixture.stream, from: .zero, direction: .forward, limit: 10)
                    } else {
                        _ = try await fixture.lease(2, as: try await fixture.register(in: store), in: store)
                    }
                }
                #expect(error?.code == .storeDamaged)
            }
        }
    }

    @Test("The settlement of before is recorded though the next events cannot be read, and those are given back")
    func settlement() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store)
                try await fixture.append(4, to: store)
                let consumer = try await fixture.register(in: store)
                let lease = try await fixture.lease(2, as: consumer, in: store)
                try await store.withSQLiteTransaction { transaction in
                    try transaction.database.execute(sql: #"UPDATE events SET headers = 'none' WHERE "offset" = 3"#)
                }
                let settlement = Settlement(of: consumer, leaseEpoch: lease.epoch, completed: [lease.offsets])
                let error = await storeError {
                    _ = try await store.dequeue(as: consumer, limit: 2, settling: settlement)
                }
                #expect(error?.code == .storeDamaged)
                #expect(try await fixture.position(in: store) == 2)
                try await store.withSQLiteTransaction { transaction in
                    try transaction.database.execute(sql: "UPDATE events SET headers = NULL")
                }
                // Nothing holds them, and nobody has tried them yet.
                let next = try await fixture.lease(2, as: consumer, in: store)
                #expect(next.events.map(\.offset) == [StreamOffset(2), StreamOffset(3)])
                #expect(next.attempt == 1)
            }
        }
    }

    @Test("Heartbeats outlast a failed commit")
    func heartbeats() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store) { definition in
                    definition.visibilityTimeout = .seconds(10)
                    definition.consumerTimeout = .seconds(10)
                }
                try await fixture.append(2, to: store)
                let consumer = try await fixture.register(in: store)
                let lease = try await fixture.lease(1, as: consumer, in: store)
                fixture.clock.advance(by: .seconds(6))
                try await store.heartbeat(consumer, extending: .all)
                let seen = try await store.consumers(of: fixture.subscription).map(\.lastSeenAt)
                for _ in 1...2 {
                    await Self.fail(store)
                }
                fixture.clock.advance(by: .seconds(6))
                #expect(try await store.consumers(of: fixture.subscription).map(\.lastSeenAt) == seen)
                try await store.heartbeat(consumer, extending: .none)
                try await store.acknowledge(lease)
                // They end all the same.
                fixture.clock.advance(by: .seconds(10))
                await Self.fail(store)
                #expect(await storeError { try await store.heartbeat(consumer, extending: .none) } != nil)
            }
        }
    }

    /// Has a commit fail, so that the store gives up what it has in memory.
    private static func fail(_ store: SQLiteEventStreamStore) async {
        let error = await storeError {
            try await store.withSQLiteTransaction { try $0.database.execute(sql: "ROLLBACK") }
        }
        #expect(error != nil)
    }

    @Test("Who expired is told once, also when the commit of the call that was to tell it fails")
    func expirations() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store) { $0.consumerTimeout = .seconds(10) }
                let first = try await fixture.register("one", in: store)
                let second = try await fixture.register("two", in: store)
                fixture.clock.advance(by: .seconds(5))
                try await store.heartbeat(second, extending: .none)
                fixture.clock.advance(by: .seconds(5))
                #expect(try await store.consumers(of: fixture.subscription).map(\.isConnected) == [false, true])
                await Self.fail(store)
                try await store.withSQLiteTransaction { transaction in
                    try transaction.database.execute(
                        sql: """
                            CREATE TRIGGER refuse BEFORE INSERT ON consumer_offsets
                            BEGIN SELECT RAISE(ABORT, 'refused'); END
                            """
                    )
                }
                fixture.clock.advance(by: .seconds(5))
                #expect(await storeError { _ = try await store.expireConsumers() }?.code == .storeUnavailable)
                try await store.withSQLiteTransaction { try $0.database.execute(sql: "DROP TRIGGER refuse") }
                #expect(try await store.expireConsumers() == [first, second])
                #expect(try await store.expireConsumers() == [])
            }
        }
    }

    @Test("A page of large events ends after some mebibytes; a lease has what was asked for")
    func largeEvents() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                try await fixture.makeSubscription(in: store)
                for _ in 0..<5 {
                    try await fixture.append(1, bytes: 3 << 20, to: store)
                }
                let page = try await store.read(fixture.stream, from: StreamOffset(1), direction: .forward, limit: 1000)
                #expect(page.map(\.offset.rawValue) == [1, 2])
                let back = try await store.read(
                    fixture.stream, from: StreamOffset(9), direction: .backward, limit: 1000)
                #expect(back.map(\.offset.rawValue) == [4, 3])
                let lease = try await fixture.lease(5, as: try await fixture.register(in: store), in: store)
                #expect(lease.events.count == 5)
            }
        }
    }

    @Test("A task that was cancelled before it asked changes nothing")
    func cancelled() async throws {
        try await Fixture.with { fixture in
            try await fixture.withStore { store in
                try await fixture.makeStream(in: store)
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return await storeError { try await fixture.append(1, to: store) }
                }
                #expect(await task.value?.code == .cancelled)
                #expect(try await fixture.ids(in: store).isEmpty)
            }
        }
    }
}
