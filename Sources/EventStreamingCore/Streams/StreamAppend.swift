/// Events for one stream that are appended together: all of them, next to each other and in order, or none.
public struct StreamAppend: Sendable {
    /// The stream to append to.
    public var stream: StreamName
    /// The events in order; at least one.
    public var events: [NewEvent]
    /// What the stream must look like.
    public var expectedVersion: ExpectedVersion

    /// Creates an append.
    public init(stream: StreamName, events: [NewEvent], expectedVersion: ExpectedVersion = .any) {
        self.stream = stream
        self.events = events
        self.expectedVersion = expectedVersion
    }
}

/// Where appended events went.
public struct AppendResult: Sendable, Hashable {
    /// The offsets of the events, in order and without gaps.
    public let offsets: Range<StreamOffset>
    /// Whether the events had been appended before under the same ids, so that nothing was changed now.
    public let isDuplicate: Bool

    /// Creates a result.
    public init(offsets: Range<StreamOffset>, isDuplicate: Bool = false) {
        self.offsets = offsets
        self.isDuplicate = isDuplicate
    }
}
