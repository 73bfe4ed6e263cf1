import Testing

/// Waits until a condition holds that nothing tells of; records an issue when it does not within 20 seconds.
func eventually(
    _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(20)
    while clock.now < deadline {
        if try await condition() { return }
        await Task.yield()
    }
    Issue.record("It did not come about that \(what).", sourceLocation: sourceLocation)
}
