/// The stable name and the version of an event's type.
///
/// One word wide; copies share their text. Made once for each type, not once for each event.
public struct EventType: Sendable, Hashable, CustomStringConvertible {
    private final class Storage: Sendable {
        let name: String
        let version: Int

        init(name: String, version: Int) {
            self.name = name
            self.version = version
        }
    }

    private let storage: Storage

    /// The stable name, for example `UserInvited`.
    public var name: String { storage.name }
    /// The version, from 1.
    public var version: Int { storage.version }

    /// Creates the description of a type.
    public init(name: String, version: Int = 1) {
        storage = Storage(name: name, version: version)
    }

    /// Describes a Swift type.
    public init<E: Event>(_ type: E.Type) {
        self.init(name: type.eventType, version: type.version)
    }

    /// The name, with the version from 2 on: `UserInvited`, `UserInvited v2`.
    public var description: String { version == 1 ? name : "\(name) v\(version)" }

    /// Whether name and version are the same.
    public static func == (left: EventType, right: EventType) -> Bool {
        left.storage === right.storage || (left.name == right.name && left.version == right.version)
    }

    /// Feeds name and version to the hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(version)
    }
}
