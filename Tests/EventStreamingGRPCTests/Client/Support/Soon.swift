import Testing

/// Waits until a condition holds that nothing tells of; records an issue when it does not within 30 seconds.
///
/// Between two looks others have the processor: servers, clients and proxies of many tests share it.
func soon(
    _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(30)
    while clock.now < deadline {
        if try await condition() { return }
        try await clock.sleep(for: .milliseconds(5))
    }
    Issue.record("It did not come about that \(what).", sourceLocation: sourceLocation)
}
