/// What travels through a bus: a ``Command`` or a ``Query``.
///
/// Conform to one of those two instead. The protocol is public so that one ``BusMiddleware`` can serve both buses.
public protocol BusMessage: Sendable {
    /// What the handler returns for this message.
    associatedtype Response: Sendable
}
