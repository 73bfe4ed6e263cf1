import EventStreamingCore
import EventStreamingTesting
import Synchronization
import Testing

@testable import EventStreamingInMemory

@Suite("Consumers in memory")
struct ConsumerTests {
    @Test("Who expired unnoticed is still told about, once")
    func rememberedExpirations() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe(.broadcast)
        let gone = try await fixture.register("gone", kind: .temporary)
        try await fixture.append(1)
        fixture.clock.advance(by: .seconds(30))
        // Finds the consumer expired, and with it the only position.
        #expect(try await fixture.metadata().count == 0)
        let back = try await fixture.register("gone", kind: .temporary)
        #expect(try await fixture.store.expireConsumers() == [gone])
        #expect(try await fixture.store.expireConsumers() == [])
        #expect(back.epoch > gone.epoch)
    }

    @Test("An append finds that the last consumer of a queue has expired")
    func appendAfterExpiry() async throws {
        let fixture = try await Fixture(capacity: 2)
        try await fixture.subscribe(.broadcast)
        _ = try await fixture.register(kind: .temporary)
        try await fixture.append(2)
        fixture.clock.advance(by: .seconds(30))
        #expect(try await fixture.append(5) == Range(2..<7))
        #expect(try await fixture.metadata().dropped == 5)
    }

    @Test("A heartbeat moves the end of leases, and nothing else does")
    func extendedLeases() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe { $0.consumerTimeout = .seconds(1000) }
        let holder = try await fixture.register("holder")
        let other = try await fixture.register("other")
        try await fixture.append(1)
        let lease = try #require(await fixture.lease(holder))
        for extends in [true, true, false] {
            fixture.clock.advance(by: .seconds(20))
            try await fixture.store.heartbeat(holder, extending: extends ? .all : .none)
        }
        guard case .empty(let until) = try await fixture.store.dequeue(as: other, limit: 1) else {
            Issue.record("The lease has ended too early.")
            return
        }
        #expect(until == .seconds(70))
        fixture.clock.advance(by: .seconds(10))
        let taken = try #require(await fixture.lease(other))
        #expect(taken.attempt == 2)
        let store = fixture.store
        #expect(await code { () throws(EventStreamingError) in try await store.acknowledge(lease) } == .leaseExpired)
    }

    @Test("Every old right is refused and changes nothing")
    func fencing() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe()
        let store = fixture.store
        let old = try await fixture.register()
        try await fixture.append(3)
        let lease = try #require(await fixture.lease(old, 2))
        let new = try await fixture.register()
        let before = try await fixture.progress()
        func codes(_ registration: ConsumerRegistration) async -> [EventStreamingError.Code?] {
            [
                await code { () throws(EventStreamingError) in
                    _ = try await store.dequeue(as: registration, limit: 1)
                },
                await code { () throws(EventStreamingError) in
                    try await store.heartbeat(registration, extending: .all)
                },
                await code { () throws(EventStreamingError) in try await store.unregisterConsumer(registration) },
            ]
        }
        #expect(await codes(old) == [.consumerReplaced, .consumerReplaced, .consumerReplaced])
        #expect(
            await code { () throws(EventStreamingError) in try await store.acknowledge(lease) } == .consumerReplaced
        )
        let future = ConsumerRegistration(subscription: new.subscription, consumer: new.consumer, epoch: .max)
        #expect(await codes(future) == [.unknownConsumer, .unknownConsumer, .unknownConsumer])
        let stranger = try ConsumerRegistration(subscription: SubscriptionID("x"), consumer: new.consumer, epoch: 1)
        #expect(await codes(stranger) == [.unknownConsumer, .unknownConsumer, .unknownConsumer])
        let stolen = Lease(holder: new, epoch: lease.epoch, offsets: lease.offsets, events: [], attempt: 1)
        #expect(await code { () throws(EventStreamingError) in try await store.acknowledge(stolen) } == .leaseExpired)
        #expect(try await fixture.progress() == before)
        try await store.unregisterConsumer(new)
        #expect(await codes(new) == [.unknownConsumer, .unknownConsumer, .unknownConsumer])
    }

    @Test("A queue keeps events for a consumer that was created and has not come yet")
    func createdConsumer() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe(.broadcast)
        let id = try ConsumerID("c")
        try await fixture.store.createConsumer(id, of: fixture.subscription, start: nil)
        try await fixture.append(3)
        fixture.clock.advance(by: .seconds(3600))
        #expect(try await fixture.store.expireConsumers() == [])
        #expect(try await fixture.store.consumers(of: fixture.subscription).map(\.isConnected) == [false])
        let consumer = try await fixture.register()
        try await fixture.store.createConsumer(id, of: fixture.subscription, start: .latest)
        #expect(try await fixture.lease(consumer)?.offsets == Range(0..<3))
        #expect(try await fixture.metadata().dropped == 0)
    }

    private final class Listener: StreamObserver {
        let heard = Mutex<[StreamName]>([])

        func streamDidChange(_ stream: StreamName) {
            heard.withLock { $0.append(stream) }
        }
    }

    @Test("Observers hear of appends, returns and dead letters until they are gone")
    func observers() async throws {
        let fixture = try await Fixture()
        try await fixture.subscribe()
        let consumer = try await fixture.register()
        weak var forgotten: Listener?
        do {
            let listener = Listener()
            forgotten = listener
            fixture.store.addObserver(listener)
            try await fixture.append(2)
            let lease = try #require(await fixture.lease(consumer))
            try await fixture.store.acknowledge(Range(0..<1), of: lease)
            #expect(listener.heard.withLock { $0 } == [fixture.stream])
            try await fixture.store.release(lease)
            #expect(listener.heard.withLock { $0 } == [fixture.stream, fixture.stream])
            let late = try #require(await fixture.lease(consumer))
            try await fixture.store.nack(late.offsets, of: late, action: .retry(after: .seconds(1)), reason: "busy")
            // Who waits already must learn until when.
            #expect(listener.heard.withLock { $0 }.count == 3)
            fixture.clock.advance(by: .seconds(1))
            let again = try #require(await fixture.lease(consumer))
            try await fixture.store.nack(again.offsets, of: again, action: .deadLetter, reason: "bad")
            #expect(listener.heard.withLock { $0.last } == (try StreamName("mailer-dead-letters")))
        }
        #expect(forgotten == nil)
        try await fixture.append(1)
    }
}
