import EventStreamingCore
import EventStreamingInMemory
import EventStreamingTesting
import Synchronization
import Testing

enum Shop: Workflow {}

struct OrderPlaced: Event {
    typealias Process = Shop
    var number: Int
}

struct OrderShipped: Event {
    typealias Process = Shop
    var number: Int
}

/// A store with a clock that stands still, one stream and short ways to use both.
struct Fixture: Sendable {
    static let placed = EventType(OrderPlaced.self)
    static let shipped = EventType(OrderShipped.self)

    let clock = ManualClock()
    let store: InMemoryEventStreamStore
    let ids: MessageIDGenerator
    let stream: StreamName
    let subscription: SubscriptionID

    init(
        _ type: StreamType = .ephemeral,
        capacity: Int? = nil,
        overflow: OverflowPolicy = .reject,
        seed: UInt64 = 1
    ) async throws {
        store = InMemoryEventStreamStore(clock: clock, seed: seed)
        ids = MessageIDGenerator(clock: clock)
        stream = try StreamName("orders")
        subscription = try SubscriptionID("mailer")
        try await store.createStream(
            StreamDefinition(name: stream, type: type, capacity: capacity, overflow: overflow)
        )
    }

    func subscribe(
        _ mode: SubscriptionMode = .exclusive,
        configure: (inout SubscriptionDefinition) -> Void = { _ in }
    ) async throws {
        var definition = try SubscriptionDefinition(id: subscription, stream: stream, mode: mode)
        configure(&definition)
        try await store.createSubscription(definition)
    }

    func register(_ name: String = "c", kind: ConsumerKind = .durable) async throws -> ConsumerRegistration {
        try await store.registerConsumer(ConsumerID(name), of: subscription, kind: kind, start: nil)
    }

    func events(_ count: Int, type: EventType = placed, size: Int = 10) -> [NewEvent] {
        (0..<count).map { number in
            NewEvent(
                id: ids.next(),
                type: type,
                payload: .value(OrderPlaced(number: number)),
                size: size
            )
        }
    }

    @discardableResult
    func append(_ count: Int, type: EventType = placed, size: Int = 10) async throws -> Range<StreamOffset> {
        let events = events(count, type: type, size: size)
        return try await store.append(StreamAppend(stream: stream, events: events)).offsets
    }

    func lease(_ consumer: ConsumerRegistration, _ limit: Int = 100) async throws -> Lease? {
        if case .lease(let lease) = try await store.dequeue(as: consumer, limit: limit) { lease } else { nil }
    }

    func progress() async throws -> [SubscriptionProgress] {
        try await store.progress(of: subscription)
    }

    func position() async throws -> Int64 {
        try #require(await progress().first).position.rawValue
    }

    func metadata() async throws -> StreamMetadata {
        try await store.metadata(of: stream)
    }

    func deadLetters() async throws -> [DeadLetter] {
        try await store.deadLetters(of: subscription, from: .zero, limit: 1000)
    }
}

extension Range<StreamOffset> {
    init(_ range: Range<Int64>) {
        self = StreamOffset(range.lowerBound)..<StreamOffset(range.upperBound)
    }
}

/// The code of the error that `body` throws; `nil` when it throws none.
func code(_ body: () async throws(EventStreamingError) -> Void) async -> EventStreamingError.Code? {
    do throws(EventStreamingError) {
        try await body()
        return nil
    } catch {
        return error.code
    }
}

/// A generator whose seed a failing test shows, so that the run can be repeated.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
