import EventStreaming
import EventStreamingCore
import GRPCCore
import Synchronization

/// One `PublishStream` call on the server: what comes while a group of appends is made is the next group.
///
/// As many appends wait as the limits say; then no more is read from the peer until they are made and answered.
final class PublishCall: Sendable {
    private struct State {
        var waiting: [AppendFrame] = []
        var lastSequence: UInt64?
        /// Whether the peer sends no more, or cannot be read any more.
        var isComplete = false
        var failure: EventStreamingError?
    }

    private let publisher: Publisher
    private let limit: Int
    private let state = Mutex(State())
    /// Notified when there is something to do.
    private let changes = Signal()
    /// Notified when there is room again.
    private let room = Signal()

    init(publisher: Publisher) {
        self.publisher = publisher
        limit = max(1, publisher.server.options.limits.maximumWaitingAppends)
    }

    /// Serves the call until the peer closes its side and has every answer.
    ///
    /// - Throws: What is wrong with a frame, after what came before it was answered.
    func run(
        reading requests: RPCAsyncSequence<AppendFrame, any Error>,
        writing writer: RPCWriter<WirePublishStreamResponse>
    ) async throws {
        try await withRPCCancellationHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await self.read(requests) }
                do {
                    try await self.work(writer)
                } catch {
                    group.cancelAll()
                    throw error
                }
                group.cancelAll()
            }
        } onCancelRPC: {
            self.complete(self.publisher.server.cancellation)
        }
    }

    private func complete(_ failure: EventStreamingError?) {
        state.withLock { state in
            state.isComplete = true
            state.failure = state.failure ?? failure
        }
        changes.notify()
        room.notify()
    }

    // MARK: - Reading

    private func read(_ requests: RPCAsyncSequence<AppendFrame, any Error>) async {
        do {
            for try await request in requests {
                try state.withLock { (state) throws(EventStreamingError) in try Self.take(request, &state) }
                changes.notify()
                while true {
                    let version = room.version
                    guard state.withLock({ $0.waiting.count >= limit && !$0.isComplete }), !Task.isCancelled else {
                        break
                    }
                    await room.wait(since: version)
                }
                if state.withLock({ $0.isComplete }) { return }
            }
            complete(nil)
        } catch let error as EventStreamingError {
            complete(error)
        } catch let error as RPCError {
            complete(EventStreamingError(error))
        } catch {
            complete(publisher.server.cancellation)
        }
    }

    private static func take(
        _ request: AppendFrame,
        _ state: inout State
    ) throws(EventStreamingError) {
        if let last = state.lastSequence, request.sequence <= last {
            throw EventStreamingError(
                .invalidArgument,
                "A frame has the sequence number \(request.sequence) after \(last); each must be greater than the last."
            )
        }
        state.lastSequence = request.sequence
        state.waiting.append(request)
    }

    // MARK: - Working

    private func work(_ writer: RPCWriter<WirePublishStreamResponse>) async throws {
        while true {
            let version = changes.version
            let (group, isComplete) = state.withLock { state in
                defer { state.waiting.removeAll(keepingCapacity: true) }
                return (state.waiting, state.isComplete)
            }
            guard !group.isEmpty else {
                if isComplete { break }
                try Task.checkCancellation()
                await changes.wait(since: version)
                continue
            }
            room.notify()
            let results = await publisher.publish(group.map(\.append))
            var response = WirePublishStreamResponse()
            response.results.reserveCapacity(results.count)
            for (request, result) in zip(group, results) {
                response.results.append(WirePublishResult(result, sequence: request.sequence))
            }
            try await writer.write(response)
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}

extension WirePublishResult {
    init(_ result: Result<AppendResult, EventStreamingError>, sequence: UInt64) {
        self.init()
        self.sequence = sequence
        switch result {
        case .success(let result): published = WirePublishResponse(result)
        case .failure(let error): self.error = WireErrorDetail(error)
        }
    }
}
