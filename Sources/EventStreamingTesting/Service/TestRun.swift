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
    let shutdownTimeout: Duration

    func callAsFunction<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withTaskGroup(of: Part<Value>.self) { group in
            group.addTask { .service(await result { try await streaming.run() }) }
            group.addTask { .body(await result { try await body() }) }
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
}
