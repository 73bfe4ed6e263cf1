import EventStreaming
import EventStreamingGRPC
import Synchronization
import Testing

/// A client of a ``ShopServer``, with short times, so that what is lost is found out soon.
enum TestClient {
    static func make(
        port: Int,
        _ change: (inout GRPCClientOptions) -> Void = { _ in },
        configure: (inout GRPCEventClientBuilder) -> Void = { _ in }
    ) throws -> GRPCEventClient {
        var options = GRPCClientOptions(host: "127.0.0.1", port: port)
        options.reconnects.shortestDelay = .milliseconds(5)
        options.reconnects.longestDelay = .milliseconds(100)
        options.closeTimeout = .seconds(20)
        options.callTimeout = .seconds(30)
        change(&options)
        return try GRPCEventClient(options) { client in
            client.addEvent(OrderPlaced.self)
            configure(&client)
        }
    }

    /// Runs a client for as long as `body` takes.
    static func run<Result: Sendable>(
        port: Int,
        _ change: (inout GRPCClientOptions) -> Void = { _ in },
        configure: (inout GRPCEventClientBuilder) -> Void = { _ in },
        _ body: @escaping @Sendable (GRPCEventClient) async throws -> Result
    ) async throws -> Result {
        try await withGRPCEventClient(try make(port: port, change, configure: configure), body)
    }
}

/// What was received, and what of it the server has confirmed to be finished.
final class Received: Sendable {
    private struct State {
        var numbers: [Int] = []
        var acknowledged: Set<Int> = []
        var afterAcknowledgement: [Int] = []
    }

    private let state = Mutex(State())

    func receive(_ delivery: Delivery) {
        guard let order = delivery.event(as: OrderPlaced.self) else { return }
        state.withLock { state in
            state.numbers.append(order.number)
            if state.acknowledged.contains(order.number) {
                state.afterAcknowledgement.append(order.number)
            }
        }
    }

    func acknowledged(_ delivery: Delivery) {
        guard let order = delivery.event(as: OrderPlaced.self) else { return }
        _ = state.withLock { $0.acknowledged.insert(order.number) }
    }

    var count: Int { state.withLock { $0.numbers.count } }
    var numbers: [Int] { state.withLock { $0.numbers } }
    var acknowledged: Set<Int> { state.withLock { $0.acknowledged } }
    /// What came again although it was confirmed: must be empty.
    var afterAcknowledgement: [Int] { state.withLock { $0.afterAcknowledgement } }
}

/// What ends the loop or call in `body` with an error of ours; `nil` when it does not end so.
func code(_ body: () async throws -> Void) async -> EventStreamingError.Code? {
    do {
        try await body()
        return nil
    } catch let error as EventStreamingError {
        return error.code
    } catch {
        Issue.record("\(error)")
        return nil
    }
}

/// Expects `body` to end with an error of ours with this code.
func expectCode(
    _ expected: EventStreamingError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    let found = await code(body)
    #expect(found == expected, sourceLocation: sourceLocation)
}
