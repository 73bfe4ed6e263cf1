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
}

extension Event {
    /// The type's name.
    public static var eventType: String { "\(Self.self)" }

    /// 1.
    public static var version: Int { 1 }
}
