import EventStreaming
import EventStreamingCore
import GRPCCore
import GRPCProtobuf
import Logging
import Synchronization

/// Publishes over one call of `PublishStream`, without waiting for one answer before the next append is sent.
///
/// When the connection is lost, everything that was not answered is sent again over the next one, in the same order: the ids
/// of the events see to it that nothing is kept twice. Where the server ends the call because of what was sent, each append is
/// made by itself, so that only the one at fault fails.
final class PublishPipeline: Sendable {
    private let links: GRPCLinks
    private let options: GRPCClientOptions
    private let codec: any EventCodec
    private let clock: any EventStreamingClock
    private let logger: Logger
    private let state: Mutex<PublishPipelineState>
    /// Notified when there is something to send, or nothing will come any more.
    private let work = Signal()
    /// Notified when the first of several appends has come, whose time may run out.
    private let beginnings = Signal()

    init(
        _ links: GRPCLinks,
        _ options: GRPCClientOptions,
        codec: any EventCodec,
        clock: any EventStreamingClock,
        logger: Logger
    ) {
        self.links = links
        self.options = options
        self.codec = codec
        self.clock = clock
        self.logger = logger
        state = Mutex(PublishPipelineState())
    }

    /// Takes nothing any more; what was taken is still published.
    func end() {
        state.withLock { $0.isEnding = true }
        work.notify()
        beginnings.notify()
    }

    // MARK: - Publishing

    /// Publishes appends and waits for all answers. A cancelled task waits, too: what was sent may have been made.
    func publish(_ appends: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        guard !appends.isEmpty else { return [] }
        guard !Task.isCancelled else {
            let error = EventStreamingError(.cancelled, "The task was cancelled before anything was published.")
            return appends.map { _ in .failure(error) }
        }
        guard options.callTimeout > .zero else { return appends.map { _ in .failure(GRPCConnection.tooLate) } }
        let requests = appends.map(request)
        return await withCheckedContinuation { continuation in
            let answers = PublishAnswers(count: appends.count, continuation)
            let deadline = clock.uptime + options.callTimeout
            var entries: [PublishPipelineState.Entry] = []
            var failures: [(Int, EventStreamingError)] = []
            for (index, request) in requests.enumerated() {
                switch request {
                case .success(let request):
                    entries.append(
                        PublishPipelineState.Entry(request, deadline: deadline, answers: answers, index: index))
                case .failure(let error):
                    failures.append((index, error))
                }
            }
            let refused = state.withLock { $0.add(entries) }
            for (index, error) in failures {
                answers.set(index, .failure(error))
            }
            if let refused {
                for entry in entries {
                    entry.answer(.failure(refused))
                }
            }
            work.notify()
            beginnings.notify()
        }
    }

    private func request(_ append: StreamAppend) -> Result<AppendRequest, EventStreamingError> {
        var events = append.events
        var size = append.stream.rawValue.utf8.count
        for index in events.indices {
            let event = events[index]
            if case .value(let value) = event.payload {
                do throws(EventStreamingError) {
                    let bytes = try codec.encode(value)
                    events[index] = NewEvent(
                        id: event.id,
                        type: event.type,
                        payload: .encoded(bytes),
                        size: bytes.count,
                        context: event.context
                    )
                } catch {
                    return .failure(error)
                }
            }
            size += events[index].size
        }
        guard size < options.maximumMessageBytes else {
            return .failure(
                EventStreamingError(
                    .payloadTooLarge,
                    "The events have \(size) bytes together; one message has at most \(options.maximumMessageBytes)."
                )
            )
        }
        return .success(
            AppendRequest(
                stream: append.stream.rawValue,
                expectedVersion: WireExpectedVersion(append.expectedVersion),
                events: .direct(events)
            )
        )
    }

    // MARK: - Running

    /// Publishes until ``end()``, or until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.expire() }
            group.addTask { await self.publishAll() }
            // Not the end of the call: where the server cannot be reached, it would wait for it.
            await waitForEnd()
            group.cancelAll()
        }
        for entry in state.withLock({ $0.takeAll() }) {
            entry.answer(.failure(Self.ended))
        }
    }

    /// Returns when nothing is to be published any more.
    private func waitForEnd() async {
        while !Task.isCancelled {
            let version = work.version
            if state.withLock({ $0.isEnding && $0.isEmpty }) { return }
            await work.wait(since: version)
        }
    }

    private func publishAll() async {
        var failures = 0
        while !Task.isCancelled {
            let version = work.version
            let (isEmpty, isEnding) = state.withLock { ($0.isEmpty, $0.isEnding) }
            if isEmpty {
                if isEnding { return }
                await work.wait(since: version)
                continue
            }
            let progress = state.withLock { $0.answered }
            let error = await publishOverOneCall()
            if state.withLock({ $0.answered }) != progress {
                failures = 0
            }
            guard let error, !state.withLock({ $0.isEmpty }), !Task.isCancelled else { continue }
            guard error.isRetriable else {
                await publishOneByOne()
                continue
            }
            failures += 1
            let delay = options.reconnects.delay(beforeAttempt: failures)
            logger.log(
                level: failures == 1 ? .warning : .debug,
                "Events cannot be published at the moment; it is tried again.",
                metadata: ["error": "\(error)", "delay": "\(delay)"]
            )
            try? await clock.sleep(until: clock.uptime + delay)
        }
    }

    /// - Returns: Why the call has ended.
    private func publishOverOneCall() async -> EventStreamingError? {
        state.withLock { $0.sendAgain() }
        do {
            let metadata = try await options.metadata()
            let request = StreamingClientRequest(of: AppendFrame.self, metadata: metadata) { writer in
                try await self.send(to: writer)
            }
            try await links.current.call { link in
                try await link.client.bidirectionalStreaming(
                    request: request,
                    descriptor: WireEventDelivery.Method.PublishStream.descriptor,
                    serializer: AppendFrameSerializer(),
                    deserializer: ProtobufDeserializer<WirePublishStreamResponse>(),
                    options: self.options.callOptions(timeout: nil)
                ) { response in
                    for try await message in response.messages {
                        link.heard(now: self.clock.uptime)
                        for (entry, result) in self.state.withLock({ $0.take(message.results) }) {
                            entry.answer(result)
                        }
                        self.work.notify()
                    }
                }
            }
            return EventStreamingError(.storeUnavailable, "The server has ended the call.")
        } catch {
            return EventStreamingError(calling: error)
        }
    }

    private func send(to writer: RPCWriter<AppendFrame>) async throws {
        while true {
            let version = work.version
            let (requests, isEnd) = state.withLock { $0.takeRequests() }
            if !requests.isEmpty {
                try await writer.write(contentsOf: requests)
            } else if isEnd {
                return
            } else {
                await work.wait(since: version)
                try Task.checkCancellation()
            }
        }
    }

    /// Makes each append by a call of its own.
    private func publishOneByOne() async {
        for entry in state.withLock({ $0.takeSent() }) {
            entry.answer(await publish(entry))
        }
    }

    private func publish(_ entry: PublishPipelineState.Entry) async -> Result<AppendResult, EventStreamingError> {
        let timeout = entry.deadline - clock.uptime
        guard timeout > .zero else { return .failure(GRPCConnection.tooLate) }
        do {
            let metadata = try await options.metadata()
            let response = try await links.current.call { link in
                try await link.delivery.publish(
                    WirePublishRequest(entry.request),
                    metadata: metadata,
                    options: self.options.callOptions(timeout: timeout)
                )
            }
            return AppendResult.made(response)
        } catch {
            return .failure(Task.isCancelled ? Self.ended : EventStreamingError(calling: error))
        }
    }

    /// Ends what takes too long.
    private func expire() async {
        while !Task.isCancelled {
            let version = beginnings.version
            let (expired, next) = state.withLock { $0.expire(now: clock.uptime) }
            for entry in expired {
                entry.answer(
                    .failure(
                        EventStreamingError(
                            .timedOut,
                            "The server did not answer within \(options.callTimeout); the events may have been published. "
                                + "Publish them again with the same ids to be sure."
                        )
                    )
                )
            }
            if !expired.isEmpty {
                work.notify()
            }
            if let next {
                try? await clock.sleep(until: next)
            } else {
                await beginnings.wait(since: version)
            }
        }
    }

    private static var ended: EventStreamingError {
        EventStreamingError(.storeUnavailable, "The client has ended before the server had answered.")
    }
}
