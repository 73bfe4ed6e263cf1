import EventStreamingCore
import Synchronization
import Testing

@testable import EventStreamingInMemory

@Suite("Concurrency in memory", .timeLimit(.minutes(2)))
struct ConcurrencyTests {
    private final class Finished: Sendable {
        let offsets = Mutex<[StreamName: [Int64]]>([:])
    }

    @Test("Many producers and consumers: each event is finished once, in streams of dense offsets")
    func contention() async throws {
        let fixture = try await Fixture()
        let store = fixture.store
        let streams = 6
        let producers = 3
        let rounds = 60
        let batch = 25
        for number in 0..<streams {
            let stream = try StreamName("s\(number)")
            try await store.createStream(StreamDefinition(name: stream, type: .ephemeral))
            try await store.createSubscription(
                SubscriptionDefinition(id: SubscriptionID("q\(number)"), stream: stream, mode: .exclusive)
            )
        }
        let finished = Finished()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<streams {
                let stream = try StreamName("s\(number)")
                for _ in 0..<producers {
                    group.addTask {
                        for _ in 0..<rounds {
                            let append = StreamAppend(stream: stream, events: fixture.events(batch))
                            let result = try await store.append(append)
                            #expect(result.offsets.lowerBound.distance(to: result.offsets.upperBound) == batch)
                        }
                    }
                }
                for consumer in 0..<3 {
                    group.addTask {
                        let id = try SubscriptionID("q\(number)")
                        let name = try ConsumerID("c\(consumer)")
                        let me = try await store.registerConsumer(name, of: id, kind: .durable, start: nil)
                        let total = producers * rounds * batch
                        while try await store.progress(of: id).first?.position != StreamOffset(Int64(total)) {
                            guard case .lease(let lease) = try await store.dequeue(as: me, limit: 40) else {
                                await Task.yield()
                                continue
                            }
                            let middle = lease.offsets.lowerBound.advanced(by: lease.events.count / 2)
                            try await store.acknowledge(middle..<lease.offsets.upperBound, of: lease)
                            finished.offsets.withLock {
                                $0[stream, default: []] += lease.events.map(\.offset.rawValue).filter {
                                    $0 >= middle.rawValue
                                }
                            }
                            if middle > lease.offsets.lowerBound {
                                try await store.release(lease)
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        for number in 0..<streams {
            let stream = try StreamName("s\(number)")
            let offsets = finished.offsets.withLock { $0[stream] ?? [] }
            #expect(offsets.sorted() == Array(0..<Int64(producers * rounds * batch)))
            let metadata = try await store.metadata(of: stream)
            #expect(metadata.count == 0)
            #expect(metadata.dropped == 0)
        }
    }

    @Test("Creating the same things at once gives one of each")
    func creation() async throws {
        let fixture = try await Fixture()
        let store = fixture.store
        let definition = try SubscriptionDefinition(
            id: fixture.subscription,
            stream: fixture.stream,
            mode: .broadcast
        )
        let epochs = try await withThrowingTaskGroup(of: UInt64.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await store.createSubscription(definition)
                    return try await store.registerConsumer(
                        ConsumerID("one"),
                        of: definition.id,
                        kind: .durable,
                        start: nil
                    ).epoch
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(epochs).count == 50)
        let consumers = try await store.consumers(of: fixture.subscription)
        #expect(consumers.map(\.epoch) == [epochs.max()])
    }
}
