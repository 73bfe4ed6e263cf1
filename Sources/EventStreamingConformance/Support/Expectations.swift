import EventStreamingCore

/// Fails when `condition` does not hold.
func require(
    _ condition: Bool,
    _ message: @autoclosure () -> String,
    file: String = #fileID,
    line: Int = #line
) throws(ConformanceFailure) {
    if !condition {
        throw ConformanceFailure(message: message(), file: file, line: line)
    }
}

/// Fails when a value is not what it must be.
func requireEqual<Value: Equatable>(
    _ actual: Value,
    _ expected: Value,
    _ what: @autoclosure () -> String,
    file: String = #fileID,
    line: Int = #line
) throws(ConformanceFailure) {
    try require(actual == expected, "\(what()): expected \(expected), got \(actual)", file: file, line: line)
}

/// Fails unless `body` throws an error with one of the codes, and returns that error.
@discardableResult
func requireError(
    _ codes: EventStreamingError.Code...,
    from what: String,
    file: String = #fileID,
    line: Int = #line,
    _ body: () async throws -> Void
) async throws -> EventStreamingError {
    let expected = codes.map(\.description).joined(separator: " or ")
    do {
        try await body()
    } catch let error as EventStreamingError {
        try require(codes.contains(error.code), "\(what): expected \(expected), got \(error)", file: file, line: line)
        return error
    } catch {
        throw ConformanceFailure(message: "\(what): expected \(expected), got \(error)", file: file, line: line)
    }
    throw ConformanceFailure(message: "\(what): expected \(expected), but it succeeded", file: file, line: line)
}

/// Lets `body` succeed or throw one of the codes, where the contract leaves the choice.
func allowError(
    _ codes: EventStreamingError.Code...,
    from what: String,
    file: String = #fileID,
    line: Int = #line,
    _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch let error as EventStreamingError {
        try require(codes.contains(error.code), "\(what): unexpected error \(error)", file: file, line: line)
    }
}
