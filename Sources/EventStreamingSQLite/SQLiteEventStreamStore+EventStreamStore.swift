public import EventStreamingCore
import EventStreamingStoreKit

extension SQLiteEventStreamStore: EventStreamStore {
    /// Bytes.
    public var payloadForm: PayloadForm { .encoded }

    /// Creates the stream, or does nothing when it exists with the same definition.
    public func createStream(_ definition: StreamDefinition) async throws(EventStreamingError) {
        try Validation.check(definition)
        try definition.checkRetention()
        try await change(durable: true) {
            try $0.ensureStream(definition)
            return
        }
    }

    /// Appends the events to one stream: all of them, contiguous and in order, or none. They are on disk when this returns.
    ///
    /// Appends of an ephemeral stream without any position are counted as dropped; they are given offsets, but neither
    /// they nor their ids are remembered.
    public func append(_ append: StreamAppend) async throws(EventStreamingError) -> AppendResult {
        let pending = try PendingAppend(append)
        guard let result = try await self.append([pending]).first else { throw Self.unanswered }
        return try result.get()
    }

    /// Makes many appends one after the other, in one transaction.
    public func append(_ group: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        let checked = group.map { append in
            Result { () throws(EventStreamingError) in try PendingAppend(append) }
        }
        var results: [Result<AppendResult, EventStreamingError>]
        do throws(EventStreamingError) {
            results = try await append(checked.compactMap { try? $0.get() })
        } catch {
            return checked.map { $0.flatMap { _ in .failure(error) } }
        }
        results.reverse()
        return checked.map { append in
            append.flatMap { _ in results.popLast() ?? .failure(Self.unanswered) }
        }
    }

    private func append(
        _ appends: [PendingAppend]
    ) async throws(EventStreamingError) -> [Result<AppendResult, EventStreamingError>] {
        guard !appends.isEmpty else { return [] }
        switch try await submit(.append(appends, Moment(clock))) {
        case .appended(let results): return results
        case .failed(let error): throw error
        case .changed: throw Self.unanswered
        }
    }

    private static var unanswered: EventStreamingError {
        EventStreamingError(.storeUnavailable, "The store did not answer; whether the events were appended is unknown.")
    }

    /// Reads a page of events.
    public func read(
        _ stream: StreamName,
        from offset: StreamOffset,
        direction: ReadDirection,
        limit: Int
    ) async throws(EventStreamingError) -> [StoredEvent] {
        let page = EventPage(stream: stream, offset: offset.rawValue, direction: direction, limit: limit)
        if try database.read({ try page.streamType(in: $0) }) == .ephemeral {
            // What ran out meanwhile may have kept events.
            let moment = Moment(clock)
            _ = try await change(durable: false) { try $0.arrive(in: $0.stream(stream), at: moment) }
        }
        try Validation.checkLimit(limit)
        return try database.read { try page.events(in: $0) }
    }

    /// The stream's state.
    public func metadata(of stream: StreamName) async throws(EventStreamingError) -> StreamMetadata {
        let moment = Moment(clock)
        return try await change(durable: false) { writer in
            let stream = try writer.stream(stream)
            try writer.arrive(in: stream, at: moment)
            return try writer.metadata(of: stream)
        }
    }

    /// Resolves a position to the offset where reading would begin now; at most the stream's head.
    public func offset(
        of position: StartPosition,
        in stream: StreamName
    ) async throws(EventStreamingError) -> StreamOffset {
        let moment = Moment(clock)
        return try await change(durable: false) { writer in
            let stream = try writer.stream(stream)
            try writer.arrive(in: stream, at: moment)
            return StreamOffset(try writer.offset(of: position, in: stream))
        }
    }

    /// Removes the events before `offset`. What was leased or waits there is not delivered again; redriven dead letters
    /// are, as they have their own copy. Space in the file is given back little by little, to be used again.
    public func trim(_ stream: StreamName, before offset: StreamOffset) async throws(EventStreamingError) -> Int {
        let moment = Moment(clock)
        return try await change(durable: true) { writer in
            let stream = try writer.stream(stream)
            try writer.arrive(in: stream, at: moment)
            let first = stream.first
            try writer.trim(stream, before: min(offset.rawValue, stream.head))
            let count = Int(stream.first - first)
            // What was left at the positions may have been finished already.
            try writer.trimFinished(stream)
            return count
        }
    }

    /// Removes what the retention policy asks for. What has to go is found without looking at all of it; space in the file
    /// is given back little by little, to be used again.
    public func applyRetention(to stream: StreamName) async throws(EventStreamingError) -> RetentionResult {
        let moment = Moment(clock)
        return try await change(durable: true) { writer in
            let stream = try writer.stream(stream)
            let moment = try writer.arrive(in: stream, at: moment)
            return try writer.applyRetention(to: stream, at: moment.now)
        }
    }

    /// Leases the next events to a consumer. The events are read while the writer waits for the disk, where it can be
    /// guessed which they will be.
    public func dequeue(
        as consumer: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?
    ) async throws(EventStreamingError) -> DequeueResult {
        try Validation.check(limit, settlement, of: consumer)
        let moment = Moment(clock)
        var settlement = settlement
        while true {
            let guess = readAhead.guess(for: consumer, limit: limit)
            let (handout, page) = try await readingAhead(guess) { [settlement] () throws(EventStreamingError) in
                try await change(
                    durable: { settlement != nil || $0.delivers(atMostOnce: consumer.subscription) },
                    { try $0.dequeue(as: consumer, limit: limit, settling: settlement, at: moment) }
                )
            }
            releaseLock(of: settlement)
            settlement = nil
            switch handout {
            // A long stretch that the filter passes over is looked at in turns, so that others come in between.
            case .unfinished:
                continue
            case .empty(let until):
                return .empty(until: until)
            case .events(let portion, let events):
                return .lease(Lease(portion, events: events, holder: consumer))
            case .portion(let portion, let stream):
                readAhead.note(portion.offsets, of: stream, leasedTo: consumer)
                if let events = ReadAhead.events(at: portion.offsets, in: page) {
                    return .lease(Lease(portion, events: events, holder: consumer))
                }
                let events: [StoredEvent]
                do throws(EventStreamingError) {
                    events = try self.events(at: portion.offsets, of: stream)
                } catch {
                    await giveBack(Lease(portion, events: [], holder: consumer))
                    throw error
                }
                // All of it may have been dropped in the meantime, and with it the lease.
                guard !events.isEmpty else { continue }
                return .lease(Lease(portion, events: events, holder: consumer))
            }
        }
    }

    /// Does `body`, and reads at the same time what is probably wanted then.
    private func readingAhead(
        _ guess: (stream: Int64, offsets: Range<Int64>)?,
        _ body: () async throws(EventStreamingError) -> Handout
    ) async throws(EventStreamingError) -> (Handout, page: [StoredEvent]) {
        guard let guess else { return (try await body(), []) }
        // What goes wrong here shows when the events are read for good.
        async let page = try? events(at: OffsetRanges(guess.offsets), of: guess.stream)
        let handout = try await body()
        return (handout, await page ?? [])
    }

    private func events(at offsets: OffsetRanges, of stream: Int64) throws(EventStreamingError) -> [StoredEvent] {
        try database.read { try EventPage.events(at: offsets, of: stream, in: $0) }
    }

    /// Records what became of a lease's events. It is on disk when this returns.
    ///
    /// Offsets of the lease that were never delivered, because the filter passes over them or they were trimmed, may be
    /// named or not.
    public func settle(_ settlement: Settlement) async throws(EventStreamingError) {
        let moment = Moment(clock)
        try await change(durable: true) { try $0.settle(settlement, at: moment) }
        releaseLock(of: settlement)
    }
}
