public import EventStreamingCore

/// A command handler's view of the workflow it works in: its identity, and the events to emit.
///
/// Handed to the handler as `inout` and not copyable, so it cannot outlive the call. Events are only kept pending;
/// they are committed together, in the order in which they were emitted, when the handler returns. When it throws or
/// its task is cancelled nothing is emitted.
public struct WorkflowContext<Process: Workflow>: ~Copyable, Sendable {
    /// The workflow's id: the correlation id of everything emitted here.
    public let id: WorkflowID
    /// Whether this command started the workflow; `false` when the command carried a ``WorkflowCommand/workflowID``.
    public let isNew: Bool
    /// The cause of everything emitted here: the command's id, or the id of the event whose handler sent the command.
    public let causationID: MessageID
    /// Headers for the events emitted here, beginning with none. Limits are those of ``EventStreamingOptions``.
    public var headers: [String: String] = [:]
    /// The events emitted so far, in order.
    public private(set) var pendingEvents: [any Event] = []

    /// Writes of the handler's own, in order.
    private(set) var writes: [StoreWrite] = []

    package init(id: WorkflowID, isNew: Bool, causationID: MessageID) {
        self.id = id
        self.isNew = isNew
        self.causationID = causationID
    }

    /// Adds an event, to be committed with all others when the handler returns.
    public mutating func emit<E: Event>(_ event: E) where E.Process == Process {
        pendingEvents.append(event)
    }

    /// Adds writes of the handler's own, made in the transaction that commits the events: what they write to the
    /// database of the store and the events become visible together, or not at all.
    ///
    /// Writes are made in the order in which they were added, before the events are appended. When one throws, nothing
    /// is committed, and the command's sender gets its error. Nothing is written before the handler has returned.
    ///
    /// - Parameter write: Writes with what the store adds to `StoreTransaction`. Runs on a thread of the store, must not
    ///   wait, and may be repeated as `TransactionalStore` says. Where the store has no transactions, sending the
    ///   command throws `EventStreamingError` with code `unsupported`.
    public mutating func write(_ write: @escaping @Sendable (any StoreTransaction) throws -> Void) {
        writes.append(write)
    }

    /// Adds events in order, to be committed with all others when the handler returns.
    public mutating func emit<E: Event>(contentsOf events: some Sequence<E>) where E.Process == Process {
        for event in events {
            pendingEvents.append(event)
        }
    }
}
