/// Runs a service for as long as `body` takes, and shuts it down gracefully afterwards: for scripts and tests.
///
/// ```swift
/// try await withEventStreaming(streaming) { streaming in
///     try await streaming.commands.send(InviteUser(email: "ada@example.org"))
/// }
/// ```
///
/// - Parameters:
///   - streaming: The service; it must not run yet, and cannot be used afterwards.
///   - body: What to do meanwhile. Loops over subscriptions that it leaves running in other tasks end with the service.
/// - Returns: What `body` returns, after the service has shut down.
/// - Throws: What `body` or ``EventStreaming/run()`` throws, whichever fails first, after the other has ended. When the
///   service cannot run, `body` is cancelled.
@discardableResult
public func withEventStreaming<Success: Sendable>(
    _ streaming: EventStreaming,
    _ body: @escaping @Sendable (EventStreaming) async throws -> Success
) async throws -> Success {
    try await withRunningService {
        try await streaming.run()
    } stop: {
        streaming.beginShutdown()
    } body: {
        try await body(streaming)
    }
}

/// Runs a service for as long as `body` takes.
@discardableResult
package func withRunningService<Success: Sendable>(
    _ run: @escaping @Sendable () async throws -> Void,
    stop: @escaping @Sendable () -> Void,
    body: @escaping @Sendable () async throws -> Success
) async throws -> Success {
    try await withThrowingTaskGroup(of: Part<Success>.self) { group in
        group.addTask { await Part.service(Result { try await run() }) }
        group.addTask {
            let outcome = await Result { try await body() }
            stop()
            return .body(outcome)
        }
        var success: Success?
        var firstFailure: (any Error)?
        for try await part in group {
            do {
                switch part {
                case .body(let result): success = try result.get()
                case .service(let result): try result.get()
                }
            } catch {
                firstFailure = firstFailure ?? error
                if case .service = part {
                    group.cancelAll()
                }
            }
        }
        if let firstFailure { throw firstFailure }
        guard let success else { throw CancellationError() }
        return success
    }
}

private enum Part<Success: Sendable>: Sendable {
    case service(Result<Void, any Error>)
    case body(Result<Success, any Error>)
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
