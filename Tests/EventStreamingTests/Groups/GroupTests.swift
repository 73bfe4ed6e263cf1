import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Synchronization
import Testing

@Suite("Consumer groups", .timeLimit(.minutes(5)))
struct GroupTests {
    /// What handlers of a group did: which event of which key began and ended, and who else was at the key.
    private final class Book: Sendable {
        private struct State: Sendable {
            var done: [Int: [Int]] = [:]
            var busy: Set<Int> = []
            var overlaps: [Int] = []
        }

        private let state = Mutex(State())

        static func key(of number: Int) -> Int { number % 10 }

        func begin(_ number: Int) {
            state.withLock { state in
                if !state.busy.insert(Self.key(of: number)).inserted { state.overlaps.append(number) }
            }
        }

        func end(_ number: Int, isDone: Bool) {
            state.withLock { state in
                state.busy.remove(Self.key(of: number))
                if isDone { state.done[Self.key(of: number), default: []].append(number) }
            }
        }

        var overlaps: [Int] { state.withLock { $0.overlaps } }
        var done: [Int: [Int]] { state.withLock { $0.done } }
        var count: Int { state.withLock { $0.done.values.reduce(0) { $0 + $1.count } } }
    }

    private struct Refused: Error {}

    private struct RegionChosen: Event {
        typealias Process = OrderWorkflow
        var region: Int
        var partitionKey: String? { "region-\(region)" }
    }

    private func makeGroup(
        storage: EventStreamingStorage = .inMemory,
        _ configure: (inout SubscriptionConfiguration) -> Void
    ) throws -> EventStreaming {
        try makeOrders(
            storage: storage,
            mail: { subscription in
                subscription.mode = .consumerGroup
                subscription.partitions = 8
                subscription.retry.initialDelay = .zero
                configure(&subscription)
            }
        )
    }

    private func place(_ numbers: Range<Int>, in streaming: EventStreaming) async throws {
        for number in numbers {
            try await streaming.emitter.emit(
                OrderPlaced(number: number), in: try WorkflowID("w\(Book.key(of: number))"))
        }
    }

    @Test("handles keys at the same time, and the events of a key one after the other, also when some fail")
    func keepsOrder() async throws {
        let (book, failed) = (Book(), Tally())
        let streaming = try makeGroup { subscription in
            subscription.maximumConcurrency = 4
            subscription.handle { delivery in
                book.begin(delivery.number)
                for _ in 0..<delivery.number % 5 { await Task.yield() }
                let fails = delivery.number % 7 == 0 && delivery.attempt < 3
                book.end(delivery.number, isDone: !fails)
                if fails {
                    failed.add(1)
                    throw Refused()
                }
            }
        }
        try await withEventStreaming(streaming) { streaming in
            try await place(0..<300, in: streaming)
            try await streaming.settled("mail")
        }
        #expect(book.overlaps.isEmpty)
        #expect(book.count == 300)
        #expect(failed.value == 2 * 43)
        for (key, numbers) in book.done {
            #expect(numbers == Array(stride(from: key, to: 300, by: 10)))
        }
    }

    @Test("members share the work, and take over when one leaves")
    func takeOver() async throws {
        let (book, store) = (Book(), InMemoryEventStreamStore())
        let shares = Mutex<[String: Int]>([:])
        @Sendable func member(_ name: String) throws -> EventStreaming {
            try makeGroup(storage: .shared(store)) { subscription in
                subscription.handle { delivery in
                    book.begin(delivery.number)
                    await Task.yield()
                    book.end(delivery.number, isDone: true)
                    shares.withLock { $0[name, default: 0] += 1 }
                }
            }
        }
        try await withEventStreaming(try member("a")) { first in
            try await withEventStreaming(try member("b")) { second in
                try await first.wait { service in
                    Set(try await service.partitions(of: "mail").map(\.owner)).count == 2
                }
                try await place(0..<200, in: second)
                try await second.settled("mail")
            }
            let owners = Set(try await first.partitions(of: "mail").map(\.owner))
            #expect(owners.count == 1 && !owners.contains(nil))
            try await place(200..<300, in: first)
            try await first.settled("mail")
        }
        #expect(book.overlaps.isEmpty)
        for (key, numbers) in book.done {
            #expect(numbers == Array(stride(from: key, to: 300, by: 10)))
        }
        #expect(shares.withLock { $0.values.allSatisfy { $0 > 0 } })
    }

    @Test("in a loop, what is behind a rejected event comes after it")
    func loop() async throws {
        let streaming = try makeGroup { _ in }
        try await place(0..<20, in: streaming)
        let numbers = try await inTime(.seconds(60), "the deliveries did not come") {
            var numbers: [Int] = []
            for try await delivery in try streaming.subscribe(to: "mail", as: "one") {
                if delivery.number == 3, delivery.attempt == 1 {
                    try await delivery.reject(.retry(after: .zero))
                    continue
                }
                #expect(delivery.partition.map { (0..<8).contains($0) } == true)
                numbers.append(delivery.number)
                if numbers.count == 20 {
                    try await delivery.acknowledge()
                    break
                }
            }
            return numbers
        }
        #expect(numbers.sorted() == Array(0..<20))
        #expect(numbers.firstIndex(of: 3) ?? 0 < numbers.firstIndex(of: 13) ?? 0)
        #expect(numbers.firstIndex(of: 13) ?? 0 > numbers.firstIndex(of: 14) ?? 0)
    }

    @Test("an event may have a key of its own, whatever its workflow")
    func ownKey() async throws {
        let streaming = try makeGroup { _ in }
        try await streaming.emitter.emit([RegionChosen(region: 1), RegionChosen(region: 2)])
        let keys = try await streaming.read("order-events").map { PartitionKey(of: $0) }
        #expect(keys[0] == PartitionKey(header: "region-1", correlationID: nil, id: MessageID(high: 0, low: 0)))
        #expect(keys[0] != keys[1])
    }

    @Test("a service that is configured for another number of partitions does not start, until they are changed")
    func repartition() async throws {
        let store = InMemoryEventStreamStore()
        let eight = try makeGroup(storage: .shared(store)) { _ in }
        try await place(0..<10, in: eight)
        let twelve = try makeGroup(storage: .shared(store)) { $0.partitions = 12 }
        #expect(await errorCode { _ = try await twelve.partitions(of: "mail") } == .subscriptionConflict)
        try await eight.repartition("mail", into: 12)
        #expect(try await twelve.partitions(of: "mail").count == 12)
        #expect(try await twelve.take(10, as: "one").count == 10)
    }
}
