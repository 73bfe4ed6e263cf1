import Testing

/// Waits until a condition holds that nothing tells of; records an issue when it does not within a minute.
///
/// Between two looks others have the processor: servers, clients and proxies of many tests share it.
func eventually(
    _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(60)
    while clock.now < deadline {
        if try await condition() { return }
        try await clock.sleep(for: .milliseconds(2))
    }
    Issue.record("It did not come about that \(what).", sourceLocation: sourceLocation)
}
