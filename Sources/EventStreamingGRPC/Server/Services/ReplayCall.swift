import EventStreaming
import EventStreamingCore
import GRPCCore

/// One `Replay` call on the server.
struct ReplayCall: Sendable {
    let streaming: EventStreaming
    let server: ServerEnvironment

    /// How many events are in one message at most.
    private static let pageSize = 256

    func run(_ request: WireReplayRequest, writing writer: RPCWriter<WireReplayResponse>) async throws {
        let replay = try await streaming.replayService.replayStream(request.stream, try options(request))
        let isCancelled = CancellationFlag()
        try await withRPCCancellationHandler {
            var response = WireReplayResponse()
            var size = 0
            for try await event in replay {
                if isCancelled.value {
                    throw server.cancellation
                }
                let bytes = try streaming.encodedPayload(of: event.record)
                let limits = server.options.limits
                if !response.events.isEmpty,
                    size + bytes.count > limits.maximumFrameBytes || response.events.count >= Self.pageSize
                {
                    try await writer.write(response)
                    response.events.removeAll(keepingCapacity: true)
                    size = 0
                }
                response.events.append(WireEvent(event.record, payload: bytes))
                response.nextOffset = event.offset.advanced(by: 1).rawValue
                size += bytes.count
            }
            response.nextOffset = max(response.nextOffset, replay.progress.position.rawValue)
            try await writer.write(response)
        } onCancelRPC: {
            isCancelled.set()
        }
    }

    private func options(_ request: WireReplayRequest) throws(EventStreamingError) -> ReplayOptions {
        var options = ReplayOptions(
            from: try StartPosition(request.from) ?? .beginning,
            to: try EndPosition(request.to)
        )
        options.pageSize = Self.pageSize
        if !request.eventTypes.isEmpty {
            options.eventTypes = Set(request.eventTypes)
        }
        guard request.maxEvents >= 0 else {
            throw EventStreamingError(
                .invalidArgument,
                "max_events is \(request.maxEvents); use 0 for no limit, or more than 0."
            )
        }
        options.maximumEvents = request.maxEvents > 0 ? Int(clamping: request.maxEvents) : nil
        return options
    }
}
