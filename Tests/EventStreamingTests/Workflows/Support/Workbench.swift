import EventStreaming
import Synchronization
import Testing

/// What many tests need: a service for orders, a look at what it keeps, and a check of how it refuses.
enum Workbench {
    /// The default name of the stream of ``OrderWorkflow``.
    static let orders = "order-events"

    /// A service whose orders stay in their stream, and that can place orders.
    static func service(
        storage: EventStreamingStorage = .inMemory,
        configure: (inout EventStreamingBuilder) throws -> Void = { _ in }
    ) throws -> EventStreaming {
        try EventStreaming(storage: storage) { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.commands.add(PlaceOrderHandler())
            try configure(&streaming)
        }
    }

    /// The stream's events as values; bytes show as `nil`.
    static func values<E: Event>(_ type: E.Type, in records: [StoredEvent]) -> [E?] {
        records.map { record in
            if case .value(let event) = record.payload { event as? E } else { nil }
        }
    }

    /// Expects that `body` throws an ``EventStreamingError`` with this code and with all these texts in its message.
    @discardableResult
    static func refusal<Result>(
        _ code: EventStreamingError.Code,
        saying texts: String...,
        at location: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Result
    ) async -> EventStreamingError? {
        do {
            _ = try await body()
            Issue.record("Nothing was thrown; expected \(code).", sourceLocation: location)
            return nil
        } catch let error as EventStreamingError {
            #expect(error.code == code, "\(error)", sourceLocation: location)
            for text in texts {
                #expect(error.message.contains(text), "\(error)", sourceLocation: location)
            }
            return error
        } catch {
            Issue.record("Expected \(code), got \(error).", sourceLocation: location)
            return nil
        }
    }

    /// Expects that a good command still does what it should.
    static func expectWorking(_ streaming: EventStreaming, at location: SourceLocation = #_sourceLocation) async throws
    {
        let before = try await streaming.metadata(of: orders).head
        let id = try await streaming.commands.send(PlaceOrder(number: 4711))
        let placed = try await streaming.read(orders, from: before)
        #expect(values(OrderPlaced.self, in: placed) == [OrderPlaced(number: 4711)], sourceLocation: location)
        #expect(placed.map(\.correlationID) == [id], sourceLocation: location)
    }
}

/// Something that is made after the handlers that need it.
final class Late<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    var isSet: Bool { value.withLock { $0 != nil } }

    func set(_ value: Value) {
        self.value.withLock { $0 = value }
    }

    func get() throws -> Value {
        try #require(value.withLock { $0 })
    }
}

/// A place where a handler stops until the test lets it go on or cancels it.
struct StoppingPlace: Sendable {
    private let arrivals = AsyncStream.makeStream(of: Void.self)
    private let releases = AsyncStream.makeStream(of: Void.self)

    /// Called by the handler; returns also when its task is cancelled.
    func stop() async {
        arrivals.continuation.yield()
        for await _ in releases.stream { return }
    }

    /// Returns when a handler has stopped here.
    func waitForArrival() async {
        for await _ in arrivals.stream { return }
    }

    func release() {
        releases.continuation.yield()
    }
}
