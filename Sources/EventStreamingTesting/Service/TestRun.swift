import EventStreaming
import EventStreamingCore

/// Runs a service around the body of a test.
struct TestRun: Sendable {
    private enum Part<Value: Sendable>: Sendable {
        case body(Result<Value, any Error>)
        case service(Result<Void, any Error>)
        case deadline
    }

    let streaming: EventStreaming
    let clock: ManualClock
    let shutdownTimeout: Duration

    /// How long to wait in real time for handlers that neither register nor wait to try again.
    private static let startTimeout = Duration.seconds(5)

    func callAsFunction<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withTaskGroup(of: Part<Value>.self) { group in
            group.addTask { .service(await result { try await streaming.run() }) }
            group.addTask {
                let value = await result {
                    _ = try await withDeadline(Self.startTimeout) { await waitForHandlers() }
                    return try await body()
                }
                return .body(value)
            }
            var value: Result<Value, any Error>?
            var running = 2
            while running > 0, let part = await group.next() {
                switch part {
                case .body(let result):
                    running -= 1
                    value = value ?? result
                    streaming.beginShutdown()
                    group.addTask {
                        try? await Task.sleep(for: shutdownTimeout, clock: .continuous)
                        return .deadline
                    }
                case .service(let result):
                    running -= 1
                    guard case .failure(let error) = result else { break }
                    switch value {
                    case nil:
                        // The body is cancelled, and whatever it says is a consequence.
                        value = .failure(error)
                        group.cancelAll()
                    case .success where !(error is CancellationError):
                        value = .failure(error)
                    case .success, .failure:
                        break
                    }
                case .deadline:
                    group.cancelAll()
                }
            }
            group.cancelAll()
            return value ?? .failure(CancellationError())
        }.get()
    }

    private func result<Value>(_ work: () async throws -> Value) async -> Result<Value, any Error> {
        do { return .success(try await work()) } catch { return .failure(error) }
    }

    /// Returns when every handler has registered, or waits to try again.
    private func waitForHandlers() async {
        while !Task.isCancelled, !streaming.hasStopped {
            let mark = streaming.activityMark
            let registered = Set(streaming.localConsumers.map(\.subscription))
            let missing = streaming.subscriptionDefinitions.count { definition in
                streaming.hasHandler(definition.id) && !registered.contains(definition.id)
            }
            guard missing > 0 else { return }
            // The housekeeping sleeps at the clock too.
            let areAsleep = await clock.waitForSleepers(missing + 1) { await streaming.waitForActivity(since: mark) }
            if areAsleep, streaming.activityMark == mark { return }
        }
    }
}
