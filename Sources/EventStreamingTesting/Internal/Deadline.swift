/// Does `work` for at most `timeout` of real time.
///
/// - Returns: What `work` returns; `nil` when the time ran out, after `work` was cancelled and has ended.
/// - Throws: What `work` throws in time; `CancellationError` when the task is cancelled.
func withDeadline<Result: Sendable>(
    _ timeout: Duration,
    _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result? {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: timeout, clock: .continuous)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}
