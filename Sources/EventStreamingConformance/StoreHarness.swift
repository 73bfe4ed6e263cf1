public import EventStreamingCore
public import EventStreamingTesting

/// A store to check, and the clock it was made with.
public struct StoreHarness: Sendable {
    /// The clock that the store takes the time from.
    public let clock: ManualClock
    /// The store, fresh and empty.
    public let store: any EventStreamingStore

    let ids: MessageIDGenerator

    /// Brings a store and its clock together.
    public init(clock: ManualClock, store: any EventStreamingStore) {
        self.clock = clock
        self.store = store
        ids = MessageIDGenerator(clock: clock)
    }
}
