public import EventStreamingCore
public import EventStreamingInMemory

extension EventStreamingStorage {
    /// A new store in memory, gone with the service.
    public static var inMemory: EventStreamingStorage {
        EventStreamingStorage { InMemoryEventStreamStore(clock: $0.clock) }
    }

    /// A store in memory that services share, each with consumers of its own.
    ///
    /// - Parameter store: The store; its clock should be the services'.
    public static func inMemory(_ store: InMemoryEventStreamStore) -> EventStreamingStorage {
        EventStreamingStorage { _ in store }
    }
}
