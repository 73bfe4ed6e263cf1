import EventStreamingCore
import EventStreamingTesting
import Testing

@testable import EventStreamingInMemory
@testable import EventStreamingStoreKit

@Suite("Dead letters in memory")
struct DeadLetterTests {
    @Test("A crashed consumer's lease is given up after the last attempt, whole and in order")
    func expiredLeases() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe {
            $0.retry.maximumAttempts = 3
            $0.consumerTimeout = .seconds(1000)
        }
        let consumer = try await fixture.register()
        try await fixture.append(300)
        for attempt in 1...3 {
            let lease = try #require(await fixture.lease(consumer, 1000))
            #expect(lease.attempt == attempt)
            #expect(lease.offsets == Range(0..<300))
            fixture.clock.advance(by: .seconds(30))
        }
        #expect(try await fixture.position() == 300)
        let letters = try await fixture.deadLetters()
        #expect(letters.map(\.event.offset.rawValue) == Array(0..<300))
        #expect(letters.map(\.number.rawValue) == Array(0..<300))
        #expect(letters.allSatisfy { $0.attempts == 3 && $0.reason == "the lease expired in attempt 3" })
        #expect(letters.allSatisfy { $0.lastFailure - $0.firstFailure == .seconds(60) })
        #expect(try await fixture.metadata().count == 0)
    }

    @Test("A dead letter of a dead-letter stream keeps what the first one said")
    func nested() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe()
        let consumer = try await fixture.register()
        try await fixture.append(1)
        let lease = try #require(await fixture.lease(consumer))
        try await fixture.store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "first")

        let letters = try StreamName("mailer-dead-letters")
        let second = try SubscriptionID("undertaker")
        try await fixture.store.createSubscription(
            SubscriptionDefinition(id: second, stream: letters, mode: .exclusive)
        )
        let undertaker = try await fixture.store.registerConsumer(
            ConsumerID("u"),
            of: second,
            kind: .durable,
            start: nil
        )
        let again = try #require(await fixture.lease(undertaker))
        let original = try #require(again.events.first)
        try await fixture.store.nack(again.offsets, of: again, action: .deadLetter, reason: "second")

        let letter = try #require(await fixture.store.deadLetters(of: second, from: .zero, limit: 1).first)
        #expect(letter.reason == "second")
        #expect(letter.event.id == original.id)
        #expect(letter.event.headers == original.headers)
        #expect(DeadLetter(record: letter.event)?.reason == "first")
    }

    @Test("Subscriptions may follow each other's dead-letter streams, and their own")
    func cycles() async throws {
        let fixture = try await Fixture()
        let store = fixture.store
        let names = ["a", "b", "self"]
        for name in names {
            try await store.createStream(StreamDefinition(name: StreamName("\(name)-dead-letters"), type: .persistent))
        }
        for (name, source) in [("a", "b"), ("b", "a"), ("self", "self")] {
            var definition = try SubscriptionDefinition(
                id: SubscriptionID(name),
                stream: StreamName("\(source)-dead-letters"),
                mode: .exclusive
            )
            definition.retry.maximumAttempts = 1
            try await store.createSubscription(definition)
            let append = StreamAppend(stream: definition.stream, events: fixture.events(20))
            _ = try await store.append(append)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names {
                group.addTask {
                    let id = try SubscriptionID(name)
                    let consumer = try await store.registerConsumer(ConsumerID("c"), of: id, kind: .durable, start: nil)
                    // Each rejection makes an event for the other: this never ends by itself.
                    for _ in 0..<2000 {
                        guard case .lease(let lease) = try await store.dequeue(as: consumer, limit: 5) else { continue }
                        try await store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "round and round")
                    }
                }
            }
            try await group.waitForAll()
        }
        for name in names {
            let progress = try #require(await store.progress(of: SubscriptionID(name)).first)
            let open = try await store.deadLetters(of: SubscriptionID(name), from: .zero, limit: .max)
            #expect(progress.position.rawValue == Int64(progress.deadLetters))
            #expect(open.count == progress.deadLetters)
        }
    }

    @Test("Leaving the subscription and arriving in the dead-letter stream is one moment")
    func atomicity() async throws {
        let fixture = try await Fixture(.persistent)
        try await fixture.subscribe()
        let consumer = try await fixture.register()
        let total: Int64 = 3000
        try await fixture.append(Int(total))
        let store = fixture.store
        let letters = try StreamName("mailer-dead-letters")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while let lease = try await fixture.lease(consumer, 7) {
                    try await store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "bad")
                }
            }
            group.addTask {
                var position: Int64 = 0
                while position < total {
                    position = try await fixture.position()
                    let head = try await store.metadata(of: letters).head.rawValue
                    #expect(head >= position)
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.metadata(of: letters).head.rawValue == total)
    }

    @Test("Open dead letters are counted, whether redriven, trimmed or new")
    func counts() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe(.broadcast)
        let ada = try await fixture.register("ada")
        let bob = try await fixture.register("bob")
        try await fixture.append(10)
        for consumer in [ada, bob] {
            let lease = try #require(await fixture.lease(consumer))
            try await fixture.store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "bad")
        }
        #expect(try await fixture.progress().map(\.deadLetters) == [10, 10])
        #expect(try await fixture.store.redrive(Range(3..<5), of: fixture.subscription) == 2)
        #expect(try await fixture.store.redrive(Range(3..<5), of: fixture.subscription) == 0)
        #expect(try await fixture.progress().map(\.deadLetters) == [8, 10])
        #expect(try await fixture.store.trim(StreamName("mailer-dead-letters"), before: StreamOffset(12)) == 12)
        #expect(try await fixture.progress().map(\.deadLetters) == [0, 8])
        #expect(try await fixture.deadLetters().map(\.number.rawValue) == Array(12..<20))
        _ = try await fixture.store.removeConsumer(bob.consumer, of: fixture.subscription)
        #expect(try await fixture.store.redrive(Range(0..<100), of: fixture.subscription) == 0)
        #expect(try await fixture.deadLetters().count == 8)
        #expect(try await fixture.progress().map(\.waiting) == [2])
    }

    @Test("Events that others append to a dead-letter stream are no dead letters")
    func foreignEvents() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe()
        let consumer = try await fixture.register()
        let letters = try StreamName("mailer-dead-letters")
        _ = try await fixture.store.append(StreamAppend(stream: letters, events: fixture.events(2)))
        try await fixture.append(1)
        let lease = try #require(await fixture.lease(consumer))
        try await fixture.store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "bad")
        #expect(try await fixture.deadLetters().map(\.number.rawValue) == [2])
        #expect(try await fixture.store.redrive(Range(0..<10), of: fixture.subscription) == 1)
    }

    @Test("The dead-letter stream must not forget")
    func ephemeralDeadLetterStream() async throws {
        let fixture = try await Fixture()
        let letters = try StreamName("mailer-dead-letters")
        try await fixture.store.createStream(StreamDefinition(name: letters, type: .ephemeral))
        let definition = try SubscriptionDefinition(id: fixture.subscription, stream: fixture.stream, mode: .exclusive)
        let store = fixture.store
        #expect(
            await code { () throws(EventStreamingError) in try await store.createSubscription(definition) }
                == .streamConflict
        )
    }

    @Test("Reasons are cut between characters")
    func reasons() {
        #expect("abc".prefix(bytes: 5) == "abc")
        #expect("abcdef".prefix(bytes: 5) == "abcde")
        #expect("abcdé".prefix(bytes: 5) == "abcd")
        #expect(String(repeating: "€", count: 10).prefix(bytes: 8) == "€€")
    }
}
