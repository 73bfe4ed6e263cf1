public import EventStreamingCore
import Logging

extension EventStreaming {
    // MARK: - Looking

    /// A page of the open dead letters of a subscription: events that it gave up, and that were neither redriven nor
    /// discarded. In order.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - number: The number of the dead letter to begin with.
    ///   - limit: The most dead letters to read, 1 to 10 000. 100 by default.
    /// - Throws: `EventStreamingError` with code `unknownSubscription`, `invalidName` or `invalidArgument`, or what the
    ///   store reports.
    public func deadLetters(
        of subscription: String,
        from number: StreamOffset = .zero,
        limit: Int = 100
    ) async throws(EventStreamingError) -> [DeadLetter] {
        let id = try known(subscription)
        try Self.check(limit)
        try await engine.preparation.ready()
        return try await engine.store.deadLetters(of: id, from: number, limit: limit)
    }

    /// A page of the open dead letters that a filter matches.
    ///
    /// Looks at no more than about a thousand dead letters, with their payloads. So a page may be empty although there is
    /// more: go on from ``DeadLetterPage/next`` until that is `nil`.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - filter: Which are meant.
    ///   - number: The number of the dead letter to begin with.
    ///   - limit: The most dead letters to return, 1 to 10 000. 100 by default.
    /// - Throws: as ``deadLetters(of:from:limit:)``.
    public func deadLetters(
        of subscription: String,
        matching filter: DeadLetterFilter,
        from number: StreamOffset = .zero,
        limit: Int = 100
    ) async throws(EventStreamingError) -> DeadLetterPage {
        let selection = DeadLetterSelection(
            subscription: try known(subscription), filter: filter, end: StreamOffset(.max))
        try Self.check(limit)
        try await engine.preparation.ready()
        return try await scan(selection).page(from: number, limit: limit)
    }

    /// One open dead letter, with its payload as text where it is JSON, whether this service can read it, and whether it
    /// can be redriven. `nil` when there is no open dead letter with this number.
    ///
    /// - Throws: as ``deadLetters(of:from:limit:)``.
    public func deadLetter(
        _ number: StreamOffset,
        of subscription: String
    ) async throws(EventStreamingError) -> DeadLetterDetails? {
        let id = try known(subscription)
        try await engine.preparation.ready()
        guard let letter = try await engine.store.deadLetters(of: id, from: number, limit: 1).first,
            letter.number == number
        else { return nil }
        let redrivable = try await engine.store.redrivable([number..<number.advanced(by: 1)], of: id)
        return engine.details(of: letter, isRedrivable: !redrivable.isEmpty)
    }

    // MARK: - Selecting

    /// Fixes which dead letters are meant: those there are now. Costs one look at the dead-letter stream.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - filter: Which are meant; all by default.
    /// - Throws: `EventStreamingError` with code `unknownSubscription` or `invalidName`, or what the store reports.
    public func selectDeadLetters(
        of subscription: String,
        matching filter: DeadLetterFilter = DeadLetterFilter()
    ) async throws(EventStreamingError) -> DeadLetterSelection {
        let id = try known(subscription)
        try await engine.preparation.ready()
        guard let plan = engine.plans[id] else { throw .unknownSubscription(id) }
        let head = try await engine.store.metadata(of: plan.definition.deadLetterStream).head
        return DeadLetterSelection(subscription: id, filter: filter, end: head)
    }

    /// A dry run: what a redrive or a discard of the selection would do now. Changes nothing.
    ///
    /// Looks at all dead letters before the cut-off, some at a time.
    ///
    /// - Throws: `EventStreamingError` with code `unknownSubscription`; `cancelled`; or what the store reports.
    public func preview(
        _ selection: DeadLetterSelection
    ) async throws(EventStreamingError) -> DeadLetterPreview {
        try await prepare(selection)
        return try await scan(selection).preview(selection)
    }

    // MARK: - Acting

    /// Delivers the dead letters of a selection again, as first attempts, and writes into the audit who did it.
    ///
    /// Works through the selection in transactions of 100. Whatever interrupts it, a cancellation, an outage, the end of the
    /// process, what was done stays done: call it again with the same selection to go on. Dead letters that come meanwhile
    /// are not touched, not even those that were redriven and failed again.
    ///
    /// - Parameters:
    ///   - selection: What ``selectDeadLetters(of:matching:)`` returned.
    ///   - note: Who does it, and why.
    ///   - progress: Told after each transaction.
    /// - Returns: What was done by this call.
    /// - Throws: `EventStreamingError` with code `unknownSubscription`; `invalidArgument` for a note that cannot be kept;
    ///   `cancelled`; or what the store reports.
    @discardableResult
    public func redrive(
        _ selection: DeadLetterSelection,
        by note: AuditNote,
        progress: @Sendable (DeadLetterProgress) async -> Void = { _ in }
    ) async throws(EventStreamingError) -> DeadLetterProgress {
        try await prepare(selection)
        let store = engine.store
        let result = try await scan(selection).run(selection, progress: progress) {
            (numbers) async throws(EventStreamingError) in
            try await store.redrive(numbers, of: selection.subscription, by: note)
        }
        tell("Dead letters were redriven.", result, note)
        return result
    }

    /// Gives the dead letters of a selection up for good, and writes into the audit who did it. Their records stay in the
    /// dead-letter stream.
    ///
    /// Works as ``redrive(_:by:progress:)``.
    ///
    /// - Throws: as ``redrive(_:by:progress:)``.
    @discardableResult
    public func discard(
        _ selection: DeadLetterSelection,
        by note: AuditNote,
        progress: @Sendable (DeadLetterProgress) async -> Void = { _ in }
    ) async throws(EventStreamingError) -> DeadLetterProgress {
        try await prepare(selection)
        let store = engine.store
        let result = try await scan(selection).run(selection, progress: progress) {
            (numbers) async throws(EventStreamingError) in
            try await store.discard(numbers, of: selection.subscription, by: note)
        }
        tell("Dead letters were discarded.", result, note)
        return result
    }

    /// Delivers dead letters to their subscription again, as first attempts. The short form of
    /// ``redrive(_:by:progress:)``, for the service itself.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - numbers: The numbers of the dead letters; `nil` for all there are when the call begins.
    ///   - note: Who does it, and why. By default the actor is `service`.
    /// - Returns: How many will be delivered again.
    /// - Throws: as ``redrive(_:by:progress:)``.
    @discardableResult
    public func redriveDeadLetters(
        of subscription: String,
        _ numbers: Range<StreamOffset>? = nil,
        by note: AuditNote = AuditNote(by: "service", because: "")
    ) async throws(EventStreamingError) -> Int {
        let filter = DeadLetterFilter(numbers: numbers.map { [$0] })
        let selection = try await selectDeadLetters(of: subscription, matching: filter)
        return try await redrive(selection, by: note).done
    }

    // MARK: - Audit

    /// A page of what was done with the dead letters of a subscription, in order: who redrove or discarded which, when and
    /// why.
    ///
    /// - Parameters:
    ///   - subscription: The subscription's name.
    ///   - number: The number of the entry to begin with; one more than that of the last entry seen.
    ///   - limit: The most entries to read, 1 to 10 000. 100 by default.
    /// - Throws: as ``deadLetters(of:from:limit:)``.
    public func deadLetterAudit(
        of subscription: String,
        from number: Int64 = 0,
        limit: Int = 100
    ) async throws(EventStreamingError) -> [DeadLetterAuditEntry] {
        let id = try known(subscription)
        try Self.check(limit)
        try await engine.preparation.ready()
        return try await engine.store.deadLetterAudit(of: id, from: number, limit: limit)
    }

    // MARK: - Parts

    private func prepare(_ selection: DeadLetterSelection) async throws(EventStreamingError) {
        guard engine.plans[selection.subscription] != nil else {
            throw .unknownSubscription(selection.subscription)
        }
        try await engine.preparation.ready()
    }

    private func scan(_ selection: DeadLetterSelection) -> DeadLetterScan {
        DeadLetterScan(of: selection, in: engine.store)
    }

    private func tell(_ message: Logger.Message, _ result: DeadLetterProgress, _ note: AuditNote) {
        engine.options.logger.notice(
            message,
            metadata: [
                LogKey.subscription: "\(result.selection.subscription)",
                LogKey.count: "\(result.done)",
                LogKey.actor: "\(note.actor)",
            ]
        )
    }
}

extension Engine {
    /// A dead letter for people.
    fileprivate func details(of letter: DeadLetter, isRedrivable: Bool) -> DeadLetterDetails {
        var decodingError: String?
        var payload = DeadLetterDetails.Payload.bytes([])
        do throws(EventStreamingError) {
            let event = try event(of: letter.event)
            payload = try DeadLetterDetails.Payload(options.codec.encode(event))
        } catch {
            decodingError = error.message
        }
        if case .encoded(let bytes) = letter.event.payload {
            payload = DeadLetterDetails.Payload(bytes)
        }
        return DeadLetterDetails(
            letter: letter,
            payload: payload,
            decodingError: decodingError,
            isRedrivable: isRedrivable
        )
    }
}

extension DeadLetterDetails.Payload {
    fileprivate init(_ bytes: [UInt8]) {
        self = JSONText.text(of: bytes).map { .json($0) } ?? .bytes(bytes)
    }
}
