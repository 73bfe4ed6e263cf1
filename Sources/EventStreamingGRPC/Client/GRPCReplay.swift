public import EventStreaming
import GRPCCore

/// The events of a part of a server's stream, once more, in order; as ``/EventStreaming/Replay`` is in the process.
///
/// A replay only reads: no position moves. Which events belong to it was decided when it was made. One page is in memory at a
/// time, and the next is asked for when the loop has come to its end; each page is a call of its own, which is tried again
/// when the server cannot be reached.
///
/// A loop ends with an error of code `cancelled`, `offsetTrimmed` when events that it has not come to were removed,
/// `storeUnavailable` or `timedOut` when the server could not be reached within the call's time, or with what the server says.
public struct GRPCReplay: AsyncSequence, Sendable {
    /// An event of the past.
    public typealias Element = ReplayedEvent
    /// As described.
    public typealias Failure = EventStreamingError

    let client: GRPCEventClient
    /// `nil` where there is nothing.
    let request: WireReplayRequest?

    /// How many events are asked for at once.
    private static let pageSize: Int64 = 256

    /// Begins a loop.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// Where a loop is.
    public struct Iterator: AsyncIteratorProtocol {
        private let replay: GRPCReplay
        private var request: WireReplayRequest
        private var page: ArraySlice<StoredEvent> = []
        private var hasEnded: Bool

        init(_ replay: GRPCReplay) {
            self.replay = replay
            hasEnded = replay.request == nil
            request = replay.request ?? WireReplayRequest()
            request.maxEvents = GRPCReplay.pageSize
        }

        /// The next event; `nil` at the end.
        public mutating func next() async throws(EventStreamingError) -> ReplayedEvent? {
            while page.isEmpty {
                if hasEnded { return nil }
                let (events, next) = try await replay.client.connection.replay(request)
                page = events[...]
                request.from.offset = next
                hasEnded = events.count < GRPCReplay.pageSize
            }
            return page.popFirst().map(replay.client.client.replayed)
        }

        /// As ``next()``, in the isolation given.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(EventStreamingError) -> ReplayedEvent? {
            try await next()
        }
    }
}

extension GRPCEventClient {
    /// Begins a replay of a stream of the server.
    ///
    /// - Parameters:
    ///   - stream: The stream's name.
    ///   - from: Where to begin; by default at the oldest event kept.
    ///   - to: Where to end, what it names included; by default with the newest event there is now.
    ///   - eventTypes: The names of the event types wanted; `nil`, the default, for all.
    /// - Returns: The events, as a sequence that reads them when its loop asks.
    /// - Throws: `EventStreamingError` with code `invalidName`, `unknownStream`, `replayNotEnabled` or `permissionDenied`, or
    ///   because the server cannot be reached. What is wrong with the positions, the loop throws.
    public func replay(
        _ stream: String,
        from: StartPosition = .beginning,
        to: EndPosition = .latest,
        eventTypes: Set<String>? = nil
    ) async throws(EventStreamingError) -> GRPCReplay {
        var request = WireReplayRequest()
        request.stream = try StreamName(stream).rawValue
        request.from = WireStartPosition(from)
        request.eventTypes = eventTypes?.sorted() ?? []
        request.to = WireEndPosition(to)
        // The end is fixed now, by a replay of nothing from there on.
        var probe = WireReplayRequest()
        probe.stream = request.stream
        probe.from = WireStartPosition(.latest)
        let head = try await connection.replay(probe).next
        if case .latest = to {
            guard head > 0 else { return GRPCReplay(client: self, request: nil) }
            request.to.offset = head - 1
        }
        return GRPCReplay(client: self, request: request)
    }
}

extension GRPCConnection {
    /// One page, and where the next begins. Tried again while the server cannot be reached.
    func replay(_ request: WireReplayRequest) async throws(EventStreamingError) -> ([StoredEvent], next: Int64) {
        let deadline = clock.uptime + options.callTimeout
        var attempt = 0
        while true {
            let timeout = deadline - clock.uptime
            guard timeout > .zero else { throw Self.tooLate }
            do throws(EventStreamingError) {
                return try await page(request, timeout: timeout)
            } catch {
                guard error.isRetriable, error.code != .timedOut else { throw error }
                attempt += 1
                let delay = options.reconnects.delay(beforeAttempt: attempt)
                guard clock.uptime + delay < deadline else { throw error }
                do {
                    try await clock.sleep(until: clock.uptime + delay)
                } catch let cancellation {
                    throw EventStreamingError(.cancelled, "The replay's task was cancelled.", underlying: cancellation)
                }
            }
        }
    }

    private func page(
        _ request: WireReplayRequest,
        timeout: Duration
    ) async throws(EventStreamingError) -> ([StoredEvent], next: Int64) {
        do {
            let metadata = try await options.metadata()
            return try await links.current.call { link in
                try await link.delivery.replay(
                    request,
                    metadata: metadata,
                    options: self.options.callOptions(timeout: timeout)
                ) { response in
                    var events: [StoredEvent] = []
                    var next: Int64 = 0
                    for try await message in response.messages {
                        link.heard(now: self.clock.uptime)
                        for event in message.events {
                            events.append(try StoredEvent(event))
                        }
                        next = message.nextOffset
                    }
                    return (events, next)
                }
            }
        } catch {
            throw EventStreamingError(calling: error)
        }
    }
}
