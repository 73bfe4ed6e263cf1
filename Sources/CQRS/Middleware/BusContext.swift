/// What a ``BusMiddleware`` is told about the message it intercepts.
///
/// Made once for each type of message, when the bus is built; passing it on costs no allocation.
public struct BusContext: Sendable, Hashable {
    /// The name of the type of message: ``Command/commandName`` or ``Query/queryName``.
    public let name: String

    /// Whether the message is a command or a query.
    public let kind: Kind

    /// Creates a context, for tests of a middleware.
    ///
    /// - Parameters:
    ///   - name: The name of the type of message.
    ///   - kind: Whether the message is a command or a query.
    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

extension BusContext {
    /// A kind of message.
    public struct Kind: Sendable, Hashable, CustomStringConvertible {
        private enum Wrapped: String {
            case command
            case query
        }

        /// A ``Command``, sent through a ``CommandBus``.
        public static let command = Kind(wrapped: .command)

        /// A ``Query``, asked through a ``QueryBus``.
        public static let query = Kind(wrapped: .query)

        private let wrapped: Wrapped

        /// The kind in lower case: `command` or `query`. Stable: made for labels of logs and metrics.
        public var description: String { wrapped.rawValue }
    }
}
