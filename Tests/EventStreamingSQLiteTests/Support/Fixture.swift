import EventStreamingCore
import EventStreamingSQLite
import EventStreamingTesting
import GRDB

/// A database file in a folder of its own, whose stores come and go, and the clock that they share.
struct Fixture: Sendable {
    let path: String
    let clock = ManualClock()
    let ids: MessageIDGenerator
    let stream: StreamName
    let subscription: SubscriptionID

    /// Calls `body` with a fresh file that nobody has opened yet.
    static func with<Result>(_ body: (Fixture) async throws -> Result) async throws -> Result {
        try await withTemporaryFolder { folder in
            try await body(try Fixture(path: folder + "/events.sqlite"))
        }
    }

    init(path: String) throws {
        self.path = path
        ids = MessageIDGenerator(clock: clock)
        stream = try StreamName("orders")
        subscription = try SubscriptionID("billing")
    }

    /// Opens the file. It is closed when the store goes.
    func open() throws -> SQLiteEventStreamStore {
        try SQLiteEventStreamStore(path: path, clock: clock, seed: 1)
    }

    /// Opens the file for as long as `body` takes.
    func withStore<Result>(_ body: (SQLiteEventStreamStore) async throws -> Result) async throws -> Result {
        try await body(try open())
    }

    /// Reads and changes the file as another program would.
    @discardableResult
    func withConnection<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try DatabaseQueue(path: path).writeWithoutTransaction { try body($0) }
    }

    // MARK: - Making things

    func events(_ count: Int, type: String = "OrderPlaced", bytes: Int = 8) -> [NewEvent] {
        (0..<count).map { _ in
            let id = ids.next()
            let payload = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &+ Int(truncatingIfNeeded: id.low)) }
            return NewEvent(id: id, type: EventType(name: type), payload: .encoded(payload), size: bytes)
        }
    }

    @discardableResult
    func append(_ count: Int, bytes: Int = 8, to store: SQLiteEventStreamStore) async throws -> [NewEvent] {
        let events = events(count, bytes: bytes)
        _ = try await store.append(StreamAppend(stream: stream, events: events))
        return events
    }

    func makeStream(_ type: StreamType = .persistent, in store: SQLiteEventStreamStore) async throws {
        try await store.createStream(StreamDefinition(name: stream, type: type))
    }

    func makeSubscription(
        _ mode: SubscriptionMode = .exclusive,
        in store: SQLiteEventStreamStore,
        _ change: (inout SubscriptionDefinition) -> Void = { _ in }
    ) async throws {
        var definition = try SubscriptionDefinition(id: subscription, stream: stream, mode: mode)
        change(&definition)
        try await store.createSubscription(definition)
    }

    func register(_ name: String = "one", in store: SQLiteEventStreamStore) async throws -> ConsumerRegistration {
        try await store.registerConsumer(try ConsumerID(name), of: subscription, kind: .durable, start: nil)
    }

    /// Leases what there is; fails when there is nothing.
    func lease(
        _ limit: Int,
        as registration: ConsumerRegistration,
        in store: SQLiteEventStreamStore
    ) async throws -> Lease {
        guard case .lease(let lease) = try await store.dequeue(as: registration, limit: limit) else {
            throw NothingLeased()
        }
        return lease
    }

    func ids(in store: SQLiteEventStreamStore) async throws -> [MessageID] {
        var offset = try await store.metadata(of: stream).first
        var ids: [MessageID] = []
        while true {
            let page = try await store.read(stream, from: offset, direction: .forward, limit: 100_000)
            guard let last = page.last else { return ids }
            ids += page.map(\.id)
            offset = last.offset.advanced(by: 1)
        }
    }

    func position(in store: SQLiteEventStreamStore) async throws -> Int64? {
        try await store.progress(of: subscription).first?.position.rawValue
    }

    struct NothingLeased: Error {}
}

/// The error that `body` throws; `nil` when it throws none, or another.
func storeError(_ body: () async throws -> Void) async -> EventStreamingError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? EventStreamingError
    }
}
