public import CQRS
public import EventStreaming
public import EventStreamingCore

/// What a command came to in a ``WorkflowTest``, to be compared with what is expected.
///
/// Every expectation returns the outcome, so they can be chained; the first that is not met throws.
public struct WorkflowOutcome<Handled: Command, Process: Workflow>: Sendable {
    /// The workflow the handler worked in: the correlation id of the events.
    public let workflow: WorkflowID
    /// The events emitted, in order; none when the command failed.
    public let events: [any Event]
    /// The headers that the handler set for its events.
    public let headers: [String: String]
    /// The response, or the error of the validation or the handler.
    public let response: Result<Handled.Response, any Error>

    private let discarded: [any Event]
    /// What is wrong with the test itself, so that no expectation can be met.
    private let mistake: String?

    init(workflow: WorkflowID, log: WorkflowLog.Contents, response: Result<Handled.Response, any Error>) {
        self.workflow = workflow
        self.response = response
        events = log.events
        headers = log.headers
        discarded = log.discarded
        mistake = nil
    }

    init(mistake: String, in workflow: WorkflowID) {
        self.workflow = workflow
        self.mistake = mistake
        response = .failure(WorkflowTestError(mistake))
        events = []
        headers = [:]
        discarded = []
    }

    // MARK: - Events

    /// Expects exactly these events, in this order; events of the handler's process, or it could not emit them.
    ///
    /// - Throws: ``WorkflowTestError`` with both lists when others were emitted, or the command failed.
    @discardableResult
    public func thenEmits<each Expected: Event & Equatable>(
        _ expected: repeat each Expected,
        fileID: String = #fileID,
        line: Int = #line
    ) throws -> WorkflowOutcome {
        let place = Place(fileID: fileID, line: line)
        _ = try succeeded(place)
        var (texts, differing, index) = ([String](), Set<Int>(), 0)
        for event in repeat each expected {
            let text = EventComparison.describe(event)
            texts.append(EventComparison.isEvent(event, of: Process.self) ? text : "\(text) of another process")
            if !events.indices.contains(index) || !EventComparison.equal(events[index], event) {
                differing.insert(index)
            }
            index += 1
        }
        differing.formUnion(events.indices.dropFirst(index))
        guard differing.isEmpty else {
            throw place.error(
                "\(Handled.commandName) emitted other events than expected."
                    + "\n  Expected:\(EventComparison.list(texts, marked: differing))"
                    + "\n  Actual:\(EventComparison.list(events.map(EventComparison.describe), marked: differing))"
            )
        }
        return self
    }

    /// Expects success, and has the events checked by `check`.
    ///
    /// - Throws: ``WorkflowTestError`` when the command failed; what `check` throws.
    @discardableResult
    public func thenEmits(
        fileID: String = #fileID,
        line: Int = #line,
        _ check: (_ events: [any Event]) throws -> Void
    ) throws -> WorkflowOutcome {
        _ = try succeeded(Place(fileID: fileID, line: line))
        try check(events)
        return self
    }

    /// Expects success without any event.
    ///
    /// - Throws: ``WorkflowTestError`` with the events when there are some, or the command failed.
    @discardableResult
    public func thenEmitsNothing(fileID: String = #fileID, line: Int = #line) throws -> WorkflowOutcome {
        try thenEmits(fileID: fileID, line: line)
    }

    /// Expects success, and that every event is the same after it was encoded and decoded: an event may work in a store
    /// that keeps values and break in one that keeps bytes.
    ///
    /// Events that are `Equatable` are compared; others are encoded again, and the bytes compared.
    ///
    /// - Parameters:
    ///   - codec: How events become bytes. Defaults to JSON.
    ///   - fileID: The file shown in the error.
    ///   - line: The line shown in the error.
    /// - Throws: ``WorkflowTestError`` with the events that differ, or cannot be encoded or decoded, or when the command
    ///   failed.
    @discardableResult
    public func thenEventsSurviveEncoding(
        _ codec: any EventCodec = JSONEventCodec(),
        fileID: String = #fileID,
        line: Int = #line
    ) throws -> WorkflowOutcome {
        let place = Place(fileID: fileID, line: line)
        _ = try succeeded(place)
        let problems = events.enumerated().compactMap { index, event in
            EventComparison.problem(encoding: event, with: codec).map { "\n    \(index + 1). \($0)" }
        }
        guard problems.isEmpty else {
            throw place.error("Events of \(Handled.commandName) do not survive encoding.\(problems.joined())")
        }
        return self
    }

    /// Expects success and exactly these headers for the events.
    ///
    /// - Throws: ``WorkflowTestError`` with both when they differ, or the command failed.
    @discardableResult
    public func thenHeaders(
        _ expected: [String: String],
        fileID: String = #fileID,
        line: Int = #line
    ) throws -> WorkflowOutcome {
        let place = Place(fileID: fileID, line: line)
        _ = try succeeded(place)
        func list(_ headers: [String: String]) -> String {
            headers.isEmpty
                ? "\n    (none)" : headers.sorted { $0 < $1 }.map { "\n    \($0.key): \($0.value)" }.joined()
        }
        guard headers == expected else {
            throw place.error(
                "\(Handled.commandName) set other headers than expected."
                    + "\n  Expected:\(list(expected))\n  Actual:\(list(headers))"
            )
        }
        return self
    }

    // MARK: - Response

    /// Expects this response.
    ///
    /// - Throws: ``WorkflowTestError`` with both when it was another, or the command failed.
    @discardableResult
    public func thenReturns(
        _ expected: Handled.Response,
        fileID: String = #fileID,
        line: Int = #line
    ) throws -> WorkflowOutcome where Handled.Response: Equatable {
        let place = Place(fileID: fileID, line: line)
        let actual = try succeeded(place)
        guard actual == expected else {
            throw place.error(
                "\(Handled.commandName) returned another response than expected."
                    + "\n  Expected: \(EventComparison.describe(expected))"
                    + "\n  Actual:   \(EventComparison.describe(actual))"
            )
        }
        return self
    }

    /// Expects success, and has the response checked by `check`.
    ///
    /// - Throws: ``WorkflowTestError`` when the command failed; what `check` throws.
    @discardableResult
    public func thenReturns(
        fileID: String = #fileID,
        line: Int = #line,
        _ check: (_ response: Handled.Response) throws -> Void
    ) throws -> WorkflowOutcome {
        try check(try succeeded(Place(fileID: fileID, line: line)))
        return self
    }

    // MARK: - Failure

    /// Expects an error of this type, so that nothing was emitted.
    ///
    /// - Throws: ``WorkflowTestError`` when the command succeeded or failed with another error.
    @discardableResult
    public func thenThrows<Expected: Error>(
        _ type: Expected.Type,
        fileID: String = #fileID,
        line: Int = #line
    ) throws -> WorkflowOutcome {
        let place = Place(fileID: fileID, line: line)
        let error = try failed(place, expecting: "\(type)")
        guard error is Expected else {
            throw place.error(
                "\(Handled.commandName) threw another error than expected."
                    + "\n  Expected: \(type)\n  Actual:   \(EventComparison.describe(error))"
            )
        }
        return self
    }

    /// Expects this error, so that nothing was emitted.
    ///
    /// - Throws: ``WorkflowTestError`` when the command succeeded or failed with another error.
    @discardableResult
    public func thenThrows<Expected: Error & Equatable>(
        _ expected: Expected,
        fileID: String = #fileID,
        line: Int = #line
    ) throws -> WorkflowOutcome {
        let place = Place(fileID: fileID, line: line)
        let error = try failed(place, expecting: EventComparison.describe(expected))
        guard error as? Expected == expected else {
            throw place.error(
                "\(Handled.commandName) threw another error than expected."
                    + "\n  Expected: \(EventComparison.describe(expected))"
                    + "\n  Actual:   \(EventComparison.describe(error))"
            )
        }
        return self
    }

    /// Expects an error, so that nothing was emitted, and has it checked by `check`.
    ///
    /// - Throws: ``WorkflowTestError`` when the command succeeded; what `check` throws.
    @discardableResult
    public func thenThrows(
        fileID: String = #fileID,
        line: Int = #line,
        _ check: (_ error: any Error) throws -> Void
    ) throws -> WorkflowOutcome {
        try check(try failed(Place(fileID: fileID, line: line), expecting: "an error"))
        return self
    }

    // MARK: - Parts

    private struct Place {
        let fileID: String
        let line: Int

        func error(_ message: String) -> WorkflowTestError { WorkflowTestError(message, fileID: fileID, line: line) }
    }

    private func succeeded(_ place: Place) throws -> Handled.Response {
        if let mistake { throw place.error(mistake) }
        switch response {
        case .success(let response):
            return response
        case .failure(let error):
            var text = "\(Handled.commandName) failed, so it emitted and returned nothing."
            text += "\n  Error: \(EventComparison.describe(error))"
            if !discarded.isEmpty {
                text += "\n  Discarded:\(EventComparison.list(discarded.map(EventComparison.describe)))"
            }
            throw place.error(text)
        }
    }

    private func failed(_ place: Place, expecting expected: String) throws -> any Error {
        if let mistake { throw place.error(mistake) }
        switch response {
        case .failure(let error):
            return error
        case .success(let response):
            throw place.error(
                "\(Handled.commandName) succeeded where an error was expected."
                    + "\n  Expected: \(expected)\n  Actual:   returned \(EventComparison.describe(response))"
                    + "\n  Emitted:\(EventComparison.list(events.map(EventComparison.describe)))"
            )
        }
    }
}
