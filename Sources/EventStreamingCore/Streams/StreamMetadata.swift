/// The state of a stream at one moment.
public struct StreamMetadata: Sendable, Hashable {
    /// The stream's name.
    public let name: StreamName
    /// Queue or log.
    public let type: StreamType
    /// The offset of the oldest event kept; equal to ``head`` when none is.
    public let first: StreamOffset
    /// The offset the next event will get, that is the number of events ever appended.
    public let head: StreamOffset
    /// How many events the stream dropped that somebody still had to finish, or that nobody was there for: because
    /// nobody subscribed, or by ``OverflowPolicy/dropOldest``. An event counts once, however many positions missed it.
    public let dropped: Int
    /// The payload bytes of the events kept.
    public let bytes: Int
    /// When the oldest event kept was accepted; `nil` when none is kept.
    public let oldest: Timestamp?
    /// How long events are kept.
    public let retention: RetentionPolicy

    /// The number of events kept.
    public var count: Int { first.distance(to: head) }

    /// The number of events ever appended, those that are gone included.
    public var length: Int64 { head.rawValue }

    /// Creates a description of a stream's state.
    public init(
        name: StreamName,
        type: StreamType,
        first: StreamOffset,
        head: StreamOffset,
        dropped: Int,
        bytes: Int,
        oldest: Timestamp?,
        retention: RetentionPolicy = .forever
    ) {
        self.name = name
        self.type = type
        self.first = first
        self.head = head
        self.dropped = dropped
        self.bytes = bytes
        self.oldest = oldest
        self.retention = retention
    }
}
