/// What a store must know about a stream.
public struct StreamDefinition: Sendable, Hashable {
    /// The stream's name.
    public var name: StreamName
    /// Queue or log.
    public var type: StreamType
    /// The most events the stream may hold; `nil` for no limit.
    public var capacity: Int?
    /// What happens when the stream is full.
    public var overflow: OverflowPolicy

    /// Creates a definition.
    public init(name: StreamName, type: StreamType, capacity: Int? = nil, overflow: OverflowPolicy = .reject) {
        self.name = name
        self.type = type
        self.capacity = capacity
        self.overflow = overflow
    }
}
