#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import PostgreSQLTesting
import Synchronization
import Testing

@Suite("Several instances", .timeLimit(.minutes(2)))
struct InstancesTests {
    private final class Listener: StreamObserver {
        let count = Mutex(0)

        func streamDidChange(_ stream: StreamName) {
            count.withLock { $0 += 1 }
        }
    }

    private let stream: StreamName
    private let ids = MessageIDGenerator(clock: SystemClock())
    private let options: PostgreSQLOptions

    init() throws {
        stream = try StreamName("orders")
        var options = try PostgreSQLServer.freshOptions()
        options.usesServerTime = true
        self.options = options
    }

    private func makeStore(_ name: String = "other", hints: Bool = false) throws -> PostgreSQLEventStreamStore {
        var options = options
        options.applicationName = name
        options.sendsHints = hints
        return try PostgreSQLEventStreamStore(url: PostgreSQLServer.shared.get().url(), options: options)
    }

    @Test("Append to one stream: dense, each batch in one piece")
    func append() async throws {
        let stores = try (0..<3).map { _ in try makeStore() }
        try await stores[0].createStream(StreamDefinition(name: stream, type: .persistent))
        let batches = (0..<60).map { _ in makeEvents(7, ids) }
        let results = try await withThrowingTaskGroup(of: (Int, AppendResult).self) { group in
            for (number, batch) in batches.enumerated() {
                group.addTask { (number, try await stores[number % 3].enqueue(batch, to: stream)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        let stored = try await stores[1].read(stream, from: .zero, direction: .forward, limit: 1000)
        #expect(stored.map(\.offset.rawValue) == (0..<420).map { Int64($0) })
        for (number, batch) in batches.enumerated() {
            let offsets = try #require(results[number]?.offsets)
            let range = Int(offsets.lowerBound.rawValue)..<Int(offsets.upperBound.rawValue)
            #expect(stored[range].map(\.id) == batch.map(\.id))
        }
    }

    @Test("Consume together: every event once, whoever has it")
    func consume() async throws {
        let total = 400
        let stores = try (0..<3).map { _ in try makeStore() }
        try await stores[0].createStream(StreamDefinition(name: stream, type: .persistent))
        let subscription = try SubscriptionDefinition(id: SubscriptionID("mailer"), stream: stream, mode: .exclusive)
        try await stores[0].createSubscription(subscription)
        _ = try await stores[0].enqueue(makeEvents(total, ids), to: stream)
        let finished = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for (number, store) in stores.enumerated() {
                group.addTask {
                    let consumer = try await store.registerConsumer(
                        ConsumerID("c\(number)"), of: subscription.id, kind: .durable, start: nil)
                    var finished: [Int64] = []
                    var round = 0
                    while try await store.offset(of: nil, in: subscription.id).rawValue < Int64(total) {
                        guard case .lease(let lease) = try await store.dequeue(as: consumer, limit: 9) else {
                            await Task.yield()
                            continue
                        }
                        round += 1
                        if round.isMultiple(of: 4) {
                            try await store.release(lease)
                        } else {
                            try await store.acknowledge(lease)
                            finished += lease.events.map(\.offset.rawValue)
                        }
                    }
                    return finished
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(finished.sorted() == (0..<Int64(total)).map { $0 })
    }

    @Test("A consumer gets what others appended, also when it knows only where its own instance's appends ended")
    func appendedElsewhere() async throws {
        let (here, elsewhere) = (try makeStore(), try makeStore())
        try await here.createStream(StreamDefinition(name: stream, type: .persistent))
        let subscription = try SubscriptionDefinition(id: SubscriptionID("mailer"), stream: stream, mode: .exclusive)
        try await here.createSubscription(subscription)
        let consumer = try await here.registerConsumer(
            ConsumerID("c"), of: subscription.id, kind: .durable, start: nil)
        var sent: [MessageID] = []
        for round in 1...20 {
            let events = makeEvents(5, ids)
            sent += events.map(\.id)
            _ = try await here.enqueue(Array(events[..<2]), to: stream)
            _ = try await elsewhere.enqueue(Array(events[2...]), to: stream)
            // A lease may have fewer than there are, but nobody is told that there is nothing while there is something.
            var received = 0
            while received < 5 {
                guard case .lease(let lease) = try await here.dequeue(as: consumer, limit: 10) else {
                    Issue.record("in round \(round) there was nothing after \(received) of 5 events")
                    return
                }
                let begin = (round - 1) * 5 + received
                #expect(lease.events.map(\.id) == Array(sent[begin..<begin + lease.events.count]))
                received += lease.events.count
                try await here.acknowledge(lease)
            }
            guard case .empty = try await here.dequeue(as: consumer, limit: 10) else {
                Issue.record("in round \(round) there was more than was appended")
                return
            }
        }
    }

    @Test("A registration takes over from one at another instance")
    func takeOver() async throws {
        let (first, second) = (try makeStore(), try makeStore())
        try await first.createStream(StreamDefinition(name: stream, type: .persistent))
        let subscription = try SubscriptionDefinition(id: SubscriptionID("mailer"), stream: stream, mode: .exclusive)
        try await first.createSubscription(subscription)
        _ = try await first.enqueue(makeEvents(2, ids), to: stream)
        let old = try await first.registerConsumer(ConsumerID("c"), of: subscription.id, kind: .durable, start: nil)
        guard case .lease(let lease) = try await first.dequeue(as: old, limit: 2) else {
            Issue.record("there were no events")
            return
        }
        let new = try await second.registerConsumer(ConsumerID("c"), of: subscription.id, kind: .durable, start: nil)
        #expect(new.epoch > old.epoch)
        try await expectError(.consumerReplaced) { try await first.acknowledge(lease) }
        guard case .lease(let again) = try await second.dequeue(as: new, limit: 2) else {
            Issue.record("what the other held was not available at once")
            return
        }
        #expect(again.attempt == 2)
        try await second.acknowledge(again)
        #expect(try await first.offset(of: nil, in: subscription.id) == StreamOffset(2))
    }

    @Test("Hear of each other's appends, also after the connection for that was killed")
    func hints() async throws {
        let (speaker, hearer) = (try makeStore(hints: true), try makeStore("hearer", hints: true))
        try await speaker.createStream(StreamDefinition(name: stream, type: .persistent))
        _ = try await hearer.metadata(of: stream)
        let listener = Listener()
        hearer.addObserver(listener)
        try await eventually("the first hint") {
            _ = try await speaker.enqueue(makeEvents(1, ids), to: stream)
            return listener.count.withLock { $0 > 0 }
        }
        listener.count.withLock { $0 = 0 }
        _ = try await speaker.withPostgreSQLTransaction {
            try $0.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
                ["hearer"]
            )
        }
        try await eventually("a hint after the connection was lost") { listener.count.withLock { $0 > 0 } }
        listener.count.withLock { $0 = 0 }
        try await eventually("a hint by the new connection") {
            _ = try await speaker.enqueue(makeEvents(1, ids), to: stream)
            return listener.count.withLock { $0 > 0 }
        }
    }

    @Test("Events that are trimmed while they are leased are passed over: there is no lease without events")
    func trimmedWhileLeasing() async throws {
        let store = try makeStore()
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        let subscription = try SubscriptionDefinition(id: SubscriptionID("mailer"), stream: stream, mode: .exclusive)
        try await store.createSubscription(subscription)
        let events = makeEvents(7, ids)
        _ = try await store.enqueue(events, to: stream)
        let consumer = try await store.registerConsumer(
            ConsumerID("c"), of: subscription.id, kind: .durable, start: nil)
        let other = try makeStore()
        let isLocked = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // As another instance's housekeeping would trim them, but between the look at the stream and at its events.
                _ = try await other.withPostgreSQLTransaction { transaction in
                    _ = try transaction.execute("LOCK TABLE events_0 IN ACCESS EXCLUSIVE MODE")
                    isLocked.continuation.finish()
                    _ = try transaction.execute(
                        """
                        DO $$ BEGIN
                            FOR i IN 1..2000 LOOP
                                EXIT WHEN EXISTS (
                                    SELECT FROM pg_locks WHERE NOT granted AND relation = 'events_0'::regclass
                                );
                                PERFORM pg_sleep(0.01);
                            END LOOP;
                        END $$
                        """
                    )
                    _ = try transaction.execute("DELETE FROM events WHERE \"offset\" < 4")
                    _ = try transaction.execute("UPDATE streams SET first_offset = 4, deleted_before = 4")
                }
            }
            for await _ in isLocked.stream {}
            guard case .lease(let lease) = try await store.dequeue(as: consumer, limit: 4) else {
                Issue.record("there were no events")
                return
            }
            #expect(lease.events.map(\.id) == events[4...].map(\.id))
            #expect(lease.missed == 4)
            try await group.waitForAll()
        }
    }

    @Test("Redriving more than ten thousand dead letters has its whole effect, or none")
    func redrivingMany() async throws {
        let total = 10_050
        let store = try makeStore()
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
        let subscription = try SubscriptionDefinition(id: SubscriptionID("mailer"), stream: stream, mode: .exclusive)
        try await store.createSubscription(subscription)
        _ = try await store.enqueue(makeEvents(total, ids), to: stream)
        let consumer = try await store.registerConsumer(
            ConsumerID("c"), of: subscription.id, kind: .durable, start: nil)
        while case .lease(let lease) = try await store.dequeue(as: consumer, limit: total) {
            try await store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "no")
        }
        _ = try await store.withPostgreSQLTransaction { transaction in
            _ = try transaction.execute(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION 'refused';
                END $$
                """
            )
            return try transaction.execute(
                """
                CREATE TRIGGER refuse BEFORE DELETE ON dead_letters FOR EACH ROW
                WHEN (OLD.number = \(total - 1)) EXECUTE FUNCTION refuse()
                """
            )
        }
        let all = StreamOffset(0)..<StreamOffset(Int64(total))
        try await expectError(.storeUnavailable) { _ = try await store.redrive(all, of: subscription.id) }
        #expect(try await store.progress(of: subscription.id).map(\.deadLetters) == [total])
        _ = try await store.withPostgreSQLTransaction { try $0.execute("DROP TRIGGER refuse ON dead_letters") }
        #expect(try await store.redrive(all, of: subscription.id) == total)
        #expect(try await store.progress(of: subscription.id).map(\.deadLetters) == [0])
    }

    @Test("Dead letters that several redrive and discard at once are closed by one, and are once in the audit")
    func closing() async throws {
        let total = 40
        let stores = try (0..<3).map { _ in try makeStore() }
        try await stores[0].createStream(StreamDefinition(name: stream, type: .persistent))
        let subscription = try SubscriptionDefinition(id: SubscriptionID("mailer"), stream: stream, mode: .exclusive)
        try await stores[0].createSubscription(subscription)
        let events = makeEvents(total, ids)
        _ = try await stores[0].enqueue(events, to: stream)
        let consumer = try await stores[0].registerConsumer(
            ConsumerID("c"), of: subscription.id, kind: .durable, start: nil)
        while case .lease(let lease) = try await stores[0].dequeue(as: consumer, limit: total) {
            try await stores[0].nack(lease.offsets, of: lease, action: .deadLetter, reason: "no")
        }
        let closed = try await withThrowingTaskGroup(of: [StreamOffset].self) { group in
            for number in 0..<9 {
                group.addTask {
                    let note = AuditNote(by: "operator \(number)", because: "")
                    let range = StreamOffset(Int64(number))..<StreamOffset(Int64(total))
                    if number.isMultiple(of: 2) {
                        return try await stores[number % 3].discard([range], of: subscription.id, by: note)
                    }
                    return try await stores[number % 3].redrive([range], of: subscription.id, by: note)
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(closed.map(\.rawValue).sorted() == (0..<40).map { Int64($0) })
        let audit = try await stores[1].deadLetterAudit(of: subscription.id, from: 0, limit: 1000)
        #expect(audit.map(\.deadLetter.rawValue).sorted() == (0..<40).map { Int64($0) })
        #expect(audit.allSatisfy { $0.event == events[Int($0.deadLetter.rawValue)].id })
        let redriven = audit.count { $0.action == .redriven }
        #expect(try await stores[2].progress(of: subscription.id).map(\.waiting) == [redriven])
    }
}
#endif
