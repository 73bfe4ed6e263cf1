/// Told that a stream may have something new for consumers.
///
/// Only ever a hint: it says where to look, the events themselves are read from the store. A hint may be repeated or
/// come for nothing; a store whose hints can get lost says so with
/// ``EventStreamStore/polling``.
public protocol StreamObserver: AnyObject, Sendable {
    /// Called after events were appended to `stream`, or given back by a consumer. Must return quickly and must not
    /// call the store.
    func streamDidChange(_ stream: StreamName)
}
