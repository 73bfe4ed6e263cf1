public import EventStreamingCore

/// Emits events outside a command's workflow: from a job, a webhook, a migration, or a subscription's handler.
///
/// The event's type says which stream it goes to. Within a handler the correlation and the cause are those of what is
/// being handled, unless a workflow is given. When a call returns, the events are in their stream as durably as its
/// store keeps them; when it throws, none is, except with codes `storeUnavailable` and `timedOut`, where the outcome
/// is unknown: emit again with the same id to be sure.
///
/// All calls throw `EventStreamingError`: `unknownStream`, `payloadTooLarge`, `encodingFailed`, `headersTooLarge`,
/// `invalidArgument`, `wrongExpectedVersion`, `eventIDConflict`, `streamFull`, `cancelled`, `shuttingDown`, `shutDown`,
/// or what the store reports.
public struct EventEmitter: Sendable {
    let appender: Appender
    let lifecycle: Lifecycle

    /// Emits one event.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - workflow: The workflow it belongs to; by default the one being handled, if any.
    ///   - headers: Headers to keep with the event.
    ///   - id: The event's id; by default a new one. The same id with the same event is kept once.
    ///   - expectedVersion: What the stream must look like.
    /// - Returns: The offset the event got.
    @discardableResult
    public func emit<E: Event>(
        _ event: E,
        in workflow: WorkflowID? = nil,
        headers: [String: String] = [:],
        id: MessageID? = nil,
        expecting expectedVersion: ExpectedVersion = .any
    ) async throws(EventStreamingError) -> AppendResult {
        try lifecycle.admit()
        return try await appender.append(
            event,
            id: id ?? appender.ids.next(),
            to: try appender.streams.stream(of: E.Process.self),
            context: context(in: workflow, headers: headers),
            expecting: expectedVersion
        )
    }

    /// Emits events of one type together: all of them, in order and next to each other, or none.
    ///
    /// - Parameters:
    ///   - events: The events; for none, nothing happens.
    ///   - workflow: The workflow they belong to; by default the one being handled, if any.
    ///   - headers: Headers to keep with every event.
    ///   - expectedVersion: What the stream must look like.
    /// - Returns: The offsets the events got; `nil` when there were none.
    @discardableResult
    public func emit<E: Event>(
        _ events: [E],
        in workflow: WorkflowID? = nil,
        headers: [String: String] = [:],
        expecting expectedVersion: ExpectedVersion = .any
    ) async throws(EventStreamingError) -> AppendResult? {
        try lifecycle.admit()
        guard !events.isEmpty else { return nil }
        return try await appender.append(
            events,
            to: try appender.streams.stream(of: E.Process.self),
            context: context(in: workflow, headers: headers),
            expecting: expectedVersion
        )
    }

    private func context(in workflow: WorkflowID?, headers: [String: String]) -> EventContext {
        let current = MessageContext.current
        guard workflow != nil || current != nil || !headers.isEmpty else { return .empty }
        return EventContext(
            correlationID: workflow ?? current?.correlationID,
            causationID: current?.causationID,
            headers: headers
        )
    }
}
