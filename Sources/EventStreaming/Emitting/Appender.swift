import EventStreamingCore
import ServiceContextModule

/// Brings events into their streams: the only way there.
struct Appender: Sendable {
    let store: any EventStreamingStore
    let streams: StreamCatalog
    let ids: MessageIDGenerator
    let payloads: PayloadEncoder
    let telemetry: Telemetry
    let preparation: Preparation

    /// Appends the events, all or none, in order.
    func append(
        _ events: [any Event],
        to stream: StreamName,
        context: EventContext,
        record: CommandRecord? = nil
    ) async throws(EventStreamingError) -> AppendResult {
        try record?.check(besides: context.headers, payloads)
        return try await commit(events.count, to: stream, context: context, expecting: .any) {
            (context, append) throws(EventStreamingError) in
            try add(events, to: &append, context, record)
        }
    }

    /// Makes a handler's own writes and appends the events, which may be none, in one transaction.
    func append(
        _ events: [any Event],
        to stream: StreamName,
        context: EventContext,
        record: CommandRecord? = nil,
        with writes: [StoreWrite]
    ) async throws {
        try payloads.check(headers: context.headers)
        try record?.check(besides: context.headers, payloads)
        try await preparation.ready()
        let store = try store.transactional
        let span = telemetry.startSend(to: stream, count: events.count)
        let context = telemetry.inject(span, into: context)
        var append = StreamAppend(stream: stream, events: [])
        do {
            try add(events, to: &append, context, record)
            try await store.withTransaction { [append] transaction in
                for write in writes {
                    try write(transaction)
                }
                if !append.events.isEmpty, try transaction.append(append).isDuplicate, record != nil {
                    // What was written here was written before, with those events.
                    throw EventStreamingError.recordedMeanwhile
                }
            }
            telemetry.endSend(span, to: stream, count: events.count, error: nil)
        } catch {
            telemetry.endSend(span, to: stream, count: events.count, error: error)
            throw error
        }
    }

    /// Appends events of one type, all or none, in order.
    func append<E: Event>(
        _ events: [E],
        to stream: StreamName,
        context: EventContext,
        expecting expectedVersion: ExpectedVersion = .any
    ) async throws(EventStreamingError) -> AppendResult {
        let type = payloads.describe(E.self)
        return try await commit(events.count, to: stream, context: context, expecting: expectedVersion) {
            (context, append) throws(EventStreamingError) in
            try forEachID(events.count) { index, id throws(EventStreamingError) in
                append.events.append(try newEvent(events[index], type: type, id: id, context: context))
            }
        }
    }

    /// Appends one event under a given id.
    func append<E: Event>(
        _ event: E,
        id: MessageID,
        to stream: StreamName,
        context: EventContext,
        expecting expectedVersion: ExpectedVersion = .any
    ) async throws(EventStreamingError) -> AppendResult {
        let type = payloads.describe(E.self)
        return try await commit(1, to: stream, context: context, expecting: expectedVersion) {
            (context, append) throws(EventStreamingError) in
            append.events.append(try newEvent(event, type: type, id: id, context: context))
        }
    }

    // MARK: - Parts

    private func commit(
        _ count: Int,
        to stream: StreamName,
        context: EventContext,
        expecting expectedVersion: ExpectedVersion,
        _ fill: (EventContext, inout StreamAppend) throws(EventStreamingError) -> Void
    ) async throws(EventStreamingError) -> AppendResult {
        try payloads.check(headers: context.headers)
        try await preparation.ready()
        var append = StreamAppend(stream: stream, events: [], expectedVersion: expectedVersion)
        append.events.reserveCapacity(count)
        guard telemetry.isObserving else {
            try fill(context, &append)
            return try await store.append(append)
        }
        let span = telemetry.startSend(to: stream, count: count)
        do throws(EventStreamingError) {
            try fill(telemetry.inject(span, into: context), &append)
            let result = try await store.append(append)
            telemetry.endSend(span, to: stream, count: count, error: nil)
            return result
        } catch {
            telemetry.endSend(span, to: stream, count: count, error: error)
            throw error
        }
    }

    /// Adds events under new ids, or under those of a command that has a key, whose record goes with the first.
    private func add(
        _ events: [any Event],
        to append: inout StreamAppend,
        _ context: EventContext,
        _ record: CommandRecord?
    ) throws(EventStreamingError) {
        guard let record else {
            return try forEachID(events.count) { index, id throws(EventStreamingError) in
                append.events.append(try newEvent(events[index], id: id, context: context))
            }
        }
        let first = EventContext(
            correlationID: context.correlationID,
            causationID: context.causationID,
            headers: record.headers(besides: context.headers)
        )
        for (index, event) in events.enumerated() {
            let context = index == 0 ? first : context
            append.events.append(try newEvent(event, id: record.key.eventID(index), context: context))
        }
    }

    private func forEachID(
        _ count: Int,
        _ body: (Int, MessageID) throws(EventStreamingError) -> Void
    ) throws(EventStreamingError) {
        var made: [MessageID] = []
        made.reserveCapacity(count)
        ids.next(count) { made.append($0) }
        for (index, id) in made.enumerated() {
            try body(index, id)
        }
    }

    private func newEvent<E: Event>(
        _ event: E,
        type: EventType? = nil,
        id: MessageID,
        context: EventContext
    ) throws(EventStreamingError) -> NewEvent {
        let type = type ?? payloads.describe(E.self)
        let (payload, size) = try payloads.payload(event)
        guard let key = event.partitionKey else {
            return NewEvent(id: id, type: type, payload: payload, size: size, context: context)
        }
        var headers = context.headers
        headers[PartitionKey.header] = key
        try payloads.check(headers: headers)
        let keyed = EventContext(
            correlationID: context.correlationID,
            causationID: context.causationID,
            headers: headers
        )
        return NewEvent(id: id, type: type, payload: payload, size: size, context: keyed)
    }
}
