public import EventStreamingCore

/// Replays the events of persistent streams.
///
/// Works before, while and after the service runs, for streams declared with ``StreamConfiguration/isReplayEnabled``.
public struct EventReplayService: Sendable {
    let engine: Engine

    /// Begins a replay of a stream.
    ///
    /// - Parameters:
    ///   - stream: The stream's name.
    ///   - options: Which events, and how fast.
    /// - Returns: The events, as a sequence that reads them when its loop asks. Which ones they are is fixed now.
    /// - Throws: `EventStreamingError` with code `unknownStream` or `invalidName`; `replayNotEnabled`; `offsetTrimmed` when
    ///   the offset to begin at was trimmed; `unknownEvent` when the event to begin or end with is not in the stream;
    ///   `invalidArgument` for options outside what is allowed; or what the store reports.
    public func replayStream(
        _ stream: String,
        _ options: ReplayOptions = ReplayOptions()
    ) async throws(EventStreamingError) -> Replay {
        try await replay(try StreamName(stream), options)
    }

    func replay(_ name: StreamName, _ options: ReplayOptions) async throws(EventStreamingError) -> Replay {
        guard engine.streams.definitions.contains(where: { $0.name == name }) else { throw .unknownStream(name) }
        guard engine.streams.replayable.contains(name) else {
            throw EventStreamingError(
                .replayNotEnabled,
                "Stream '\(name)' cannot be replayed; declare it with isReplayEnabled and type persistent."
            )
        }
        try options.check()
        try await engine.preparation.ready()
        return Replay(try await ReplayPlan(options, of: name, engine: engine))
    }
}

extension EventStreaming {
    /// Replays streams.
    public var replayService: EventReplayService { EventReplayService(engine: engine) }

    /// Begins a replay of a stream.
    ///
    /// - Parameters:
    ///   - stream: The stream's name.
    ///   - from: Where to begin; by default at the oldest event kept.
    ///   - to: Where to end, what it names included; by default with the newest event there is now.
    ///   - configure: Changes the other options.
    /// - Returns: The events, as a sequence that reads them when its loop asks.
    /// - Throws: As ``EventReplayService/replayStream(_:_:)``.
    public func replay(
        _ stream: String,
        from: StartPosition = .beginning,
        to: EndPosition = .latest,
        configure: (inout ReplayOptions) -> Void = { _ in }
    ) async throws(EventStreamingError) -> Replay {
        var options = ReplayOptions(from: from, to: to)
        configure(&options)
        return try await replayService.replayStream(stream, options)
    }

    /// Begins a replay of the events of one type, decoded, from the stream of their workflow.
    ///
    /// - Parameters:
    ///   - type: The type of the events. Other versions of it are passed over.
    ///   - from: Where to begin; by default at the oldest event kept.
    ///   - to: Where to end, what it names included; by default with the newest event there is now.
    ///   - configure: Changes the other options.
    /// - Returns: The events, as a sequence that reads them when its loop asks.
    /// - Throws: As ``EventReplayService/replayStream(_:_:)``.
    public func replay<E: Event>(
        _ type: E.Type,
        from: StartPosition = .beginning,
        to: EndPosition = .latest,
        configure: (inout ReplayOptions) -> Void = { _ in }
    ) async throws(EventStreamingError) -> TypedReplay<E> {
        var options = ReplayOptions(from: from, to: to)
        configure(&options)
        let stream = try engine.streams.stream(of: E.Process.self)
        return try await replayService.replay(stream, options).events(of: type)
    }
}
