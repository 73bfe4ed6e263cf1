/// Where events are kept, chosen in one line: `.inMemory`.
///
/// A value that knows how to make the store; the store itself is made with the engine that uses it.
public struct EventStreamingStorage: Sendable {
    /// What a store is given when it is made.
    public struct Environment: Sendable {
        /// The time, for timestamps, leases and back-off.
        public let clock: any EventStreamingClock

        /// Creates an environment.
        public init(clock: any EventStreamingClock) {
            self.clock = clock
        }
    }

    private let makeStore: @Sendable (Environment) throws(EventStreamingError) -> any EventStreamingStore

    /// A storage whose store is made by `makeStore`, once for each engine that is created with it. Return the same
    /// store every time to share it between engines. What `makeStore` throws, creating the engine throws.
    public init(
        _ makeStore: @escaping @Sendable (Environment) throws(EventStreamingError) -> any EventStreamingStore
    ) {
        self.makeStore = makeStore
    }

    /// Makes the store.
    ///
    /// - Throws: What keeps the store from being made, for example that its file cannot be opened.
    public func makeStore(in environment: Environment) throws(EventStreamingError) -> any EventStreamingStore {
        try makeStore(environment)
    }
}
