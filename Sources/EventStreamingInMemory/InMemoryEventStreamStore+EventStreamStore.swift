public import EventStreamingCore
import EventStreamingStoreKit

extension InMemoryEventStreamStore: EventStreamStore {
    /// Values; bytes are kept as they are.
    public var payloadForm: PayloadForm { .value }

    /// Creates the stream, or does nothing when it exists with the same definition.
    public func createStream(_ definition: StreamDefinition) async throws(EventStreamingError) {
        try Validation.check(definition)
        try definition.checkRetention()
        try ensureStream(definition)
    }

    /// Creates the stream, or changes what may be changed of one of that name.
    @discardableResult
    func ensureStream(
        _ definition: StreamDefinition,
        changesExisting: Bool = true
    ) throws(EventStreamingError) -> InMemoryStream {
        try streams.withEntry(for: definition.name) { (entry) throws(EventStreamingError) in
            guard let stream = entry else {
                let stream = InMemoryStream(definition, observers: observers)
                entry = stream
                return stream
            }
            guard stream.type == definition.type else {
                throw EventStreamingError(
                    .streamConflict,
                    "Stream '\(definition.name)' exists already and is \(stream.type), not \(definition.type)."
                )
            }
            if changesExisting {
                stream.update(definition, at: Moment(clock))
            }
            return stream
        }
    }

    /// Appends the events to one stream: all of them, contiguous and in order, or none.
    ///
    /// Appends of an ephemeral stream without any position are counted as dropped; they are given offsets, but neither
    /// they nor their ids are remembered.
    public func append(_ append: StreamAppend) async throws(EventStreamingError) -> AppendResult {
        try appendNow(append)
    }

    /// Makes many appends one after the other.
    public func append(_ group: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        group.map { append in
            Result { () throws(EventStreamingError) in try appendNow(append) }
        }
    }

    private func appendNow(_ append: StreamAppend) throws(EventStreamingError) -> AppendResult {
        let checked = try CheckedAppend(append)
        let stream = try stream(append.stream)
        let uptime = stream.dependsOnTime ? clock.uptime : .zero
        let moment = Moment(now: clock.now, uptime: uptime)
        let appended = try stream.change(at: moment) { (state, moment, effects) throws(EventStreamingError) in
            try state.append(checked, at: moment.now, effects: &effects)
        }
        switch appended {
        case .stored(let result):
            return result
        case .known(let result, let stored):
            // What is stored never changes, so comparing it after the lock was released, with code of others, is safe.
            for (event, old) in zip(append.events, stored) {
                try ContentComparison.check(event, isContentOf: old)
            }
            return result
        }
    }

    /// Reads a page of events. Costs a copy of the page.
    public func read(
        _ stream: StreamName,
        from offset: StreamOffset,
        direction: ReadDirection,
        limit: Int
    ) async throws(EventStreamingError) -> [StoredEvent] {
        let stream = try self.stream(stream)
        try Validation.checkLimit(limit)
        let slices = try stream.change(at: Moment(clock)) { (state, _, _) throws(EventStreamingError) in
            try state.page(from: offset.rawValue, direction: direction, limit: limit)
        }
        let events = slices.count == 1 ? Array(slices[0]) : Array(slices.joined())
        return direction == .forward ? events : events.reversed()
    }

    /// The stream's state.
    public func metadata(of stream: StreamName) async throws(EventStreamingError) -> StreamMetadata {
        try self.stream(stream).change(at: Moment(clock)) { state, _, _ in state.metadata }
    }

    /// Resolves a position to the offset where reading would begin now; at most the stream's head.
    public func offset(
        of position: StartPosition,
        in stream: StreamName
    ) async throws(EventStreamingError) -> StreamOffset {
        try self.stream(stream).change(at: Moment(clock)) { (state, _, _) throws(EventStreamingError) in
            StreamOffset(try state.offset(of: position))
        }
    }

    /// Removes the events before `offset`. What was leased or waits there is not delivered again; redriven dead letters
    /// are, as they have their own copy.
    public func trim(_ stream: StreamName, before offset: StreamOffset) async throws(EventStreamingError) -> Int {
        try self.stream(stream).change(at: Moment(clock)) { state, _, effects in
            let first = state.log.first
            state.trim(before: min(offset.rawValue, state.log.head), effects: &effects)
            let count = Int(state.log.first - first)
            // What was left at the positions may have been finished already.
            state.trimFinished(effects: &effects)
            return count
        }
    }

    /// Removes what the retention policy asks for. Costs a look at every event that is removed because of its size.
    public func applyRetention(to stream: StreamName) async throws(EventStreamingError) -> RetentionResult {
        try self.stream(stream).change(at: Moment(clock)) { state, moment, effects in
            state.applyRetention(at: moment.now, effects: &effects)
        }
    }

    /// Leases the next events to a consumer.
    ///
    /// Cheap whatever the number of events: a lease of exactly one segment of the log is not even copied.
    public func dequeue(
        as consumer: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?
    ) async throws(EventStreamingError) -> DequeueResult {
        try Validation.check(limit, settlement, of: consumer)
        let handle = try handle(of: consumer)
        let moment = Moment(clock)
        var settlement = settlement
        while true {
            let result = try handle.change(at: moment) {
                (subscription, log, floor, moment, effects) throws(EventStreamingError) in
                let result = try subscription.dequeue(
                    as: consumer,
                    limit: limit,
                    settling: settlement,
                    at: moment,
                    log: log,
                    floor: &floor,
                    effects: &effects
                )
                mark(settlement?.processed, at: moment)
                return result
            }
            settlement = nil
            // A long stretch that the filter passes over is looked at in turns, so that others get the lock in between.
            if let result {
                return result
            }
        }
    }

    /// Records what became of a lease's events.
    ///
    /// Offsets of the lease that were never delivered, because the filter passes over them or they were trimmed, may be
    /// named or not.
    public func settle(_ settlement: Settlement) async throws(EventStreamingError) {
        guard let handle = subscriptions[settlement.holder.subscription] else { throw .leaseEnded(settlement) }
        try handle.change(at: Moment(clock)) {
            (subscription, log, floor, moment, effects) throws(EventStreamingError) in
            try subscription.state.settle(settlement, at: moment, floor: &floor, effects: &effects)
            mark(settlement.processed, at: moment)
        }
    }
}
