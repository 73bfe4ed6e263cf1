public import EventStreamingCore
import EventStreamingTesting

/// One named check that any store has to pass.
public struct StoreCheck: Sendable, CustomStringConvertible {
    /// Makes a fresh and empty store that takes the time from the given clock.
    public typealias StoreFactory = @Sendable (any EventStreamingClock) async throws -> any EventStreamingStore

    /// What the check finds out, for example `append: offsets are dense`.
    public let name: String
    private let body: @Sendable (StoreHarness) async throws -> Void

    /// The name.
    public var description: String { name }

    init(_ name: String, _ body: @escaping @Sendable (StoreHarness) async throws -> Void) {
        self.name = name
        self.body = body
    }

    /// Runs the check on a new store.
    ///
    /// - Parameter makeStore: Makes a fresh and empty store. Called once.
    /// - Throws: ``ConformanceFailure`` when the store breaks the contract, and whatever unexpected error it throws.
    @concurrent
    public func run(_ makeStore: StoreFactory) async throws {
        let clock = ManualClock()
        try await run(on: StoreHarness(clock: clock, store: try await makeStore(clock)))
    }

    /// Runs the check on the store of a harness.
    ///
    /// - Parameter harness: A fresh and empty store with its clock.
    /// - Throws: ``ConformanceFailure`` when the store breaks the contract, and whatever unexpected error it throws.
    @concurrent
    public func run(on harness: StoreHarness) async throws {
        try await body(harness)
    }
}
