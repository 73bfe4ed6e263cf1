/// Something that happened in a business process.
///
/// An event names its process, so an event of another process does not compile where it is emitted. In memory the value
/// itself travels from the emitter to the consumers; it is encoded only for stores and transports that need bytes.
public protocol Event: Codable, Sendable {
    /// The process the event belongs to; its ``Workflow/streamName`` is where the event is kept.
    associatedtype Process: Workflow

    /// The stable name of the type, as stored and filtered by. By default the type's name, such as `UserInvited`;
    /// set it before renaming a type whose events are stored.
    static var eventType: String { get }

    /// The version of the type's form, 1 by default.
    static var version: Int { get }

    /// The size of this event when encoded, in bytes, where the event knows it without being encoded: an upper bound
    /// will do. `nil` by default.
    ///
    /// A store that keeps values needs the size for limits and statistics, and finds it by walking the event as an
    /// encoder does. An event that is mostly one text or one array of bytes can save most of what emitting it costs by
    /// telling. Stores that keep bytes count the bytes.
    var payloadSize: Int? { get }

    /// What keeps events in order in a consumer group: those of one key are handled one after the other, those of
    /// different keys at the same time. `nil` by default, for the workflow's id; an event outside any workflow is then in
    /// order with no other.
    ///
    /// Read when the event is emitted, and kept with it as the header ``PartitionKey/header``: as long as a header may be,
    /// without control characters.
    var partitionKey: String? { get }
}

extension Event {
    /// The type's name.
    public static var eventType: String { "\(Self.self)" }

    /// 1.
    public static var version: Int { 1 }

    /// `nil`: the event is measured.
    public var payloadSize: Int? { nil }

    /// `nil`: the workflow's id.
    public var partitionKey: String? { nil }
}
