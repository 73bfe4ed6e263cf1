#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import PostgreSQLTesting
import Testing

/// A store for statements about the server itself.
func administrator() throws -> PostgreSQLEventStreamStore {
    try PostgreSQLServer.makeStore(clock: SystemClock())
}

/// Runs statements on the server, each on its own.
func administer(_ statements: String...) async throws {
    let store = try administrator()
    for statement in statements {
        _ = try await store.withPostgreSQLTransaction { try $0.execute(statement) }
    }
}

/// Events with bytes of their own.
func makeEvents(_ count: Int, _ ids: MessageIDGenerator) -> [NewEvent] {
    (0..<count).map { number in
        let bytes = Array("event \(number)".utf8)
        return NewEvent(id: ids.next(), type: EventType(name: "Ordered"), payload: .encoded(bytes), size: bytes.count)
    }
}

/// Fails unless `body` throws an error of the library with this code, and returns the error.
@discardableResult
func expectError(
    _ code: EventStreamingError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async throws -> EventStreamingError {
    do {
        try await body()
    } catch let error as EventStreamingError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        return error
    }
    Issue.record("expected \(code), got no error", sourceLocation: sourceLocation)
    throw EventStreamingError(code, "There was no error.")
}

/// Asks again and again until `condition` holds; fails when it does not within a generous time.
func eventually(
    _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("not within 60 seconds: \(what)", sourceLocation: sourceLocation)
}
#endif
