import Synchronization

/// The stable name and the version of an event's type.
///
/// Copies share their text. The description of a Swift type is made once in a process and lives as long as the process,
/// so that the events of one type, which are everywhere, do not contend for a reference count.
public struct EventType: Sendable, Hashable, CustomStringConvertible {
    private final class Storage: Sendable {
        let name: String
        let version: Int

        init(name: String, version: Int) {
            self.name = name
            self.version = version
        }
    }

    /// The descriptions of Swift types: as many as there are types, and never given up.
    private static let known = Mutex<[ObjectIdentifier: Storage]>([:])

    /// Keeps ``storage`` alive where ``known`` does not.
    private let owner: Storage?
    private unowned(unsafe) let storage: Storage

    /// The stable name, for example `UserInvited`.
    public var name: String { storage.name }
    /// The version, from 1.
    public var version: Int { storage.version }

    /// Creates the description of a type by its name; any text will do.
    public init(name: String, version: Int = 1) {
        let storage = Storage(name: name, version: version)
        owner = storage
        self.storage = storage
    }

    /// The description of a type by its name, shared with the Swift type that has it where one was described before. Costs a
    /// walk over the types of the process.
    package init(sharing name: String, version: Int) {
        let shared = Self.known.withLock { known in
            known.values.first { $0.version == version && $0.name == name }
        }
        let storage = shared ?? Storage(name: name, version: version)
        owner = shared == nil ? storage : nil
        self.storage = storage
    }

    /// Describes a Swift type. Costs a look-up; the first time for a type also its name.
    public init<E: Event>(_ type: E.Type) {
        owner = nil
        let key = ObjectIdentifier(type)
        if let storage = Self.known.withLock({ $0[key] }) {
            self.storage = storage
            return
        }
        let made = Storage(name: type.eventType, version: type.version)
        storage = Self.known.withLock { known in
            if let first = known[key] { return first }
            known[key] = made
            return made
        }
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
