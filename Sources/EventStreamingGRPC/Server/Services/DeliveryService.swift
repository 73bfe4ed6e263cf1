import EventStreaming
import EventStreamingCore
import GRPCCore

/// `eventstreaming.v1.EventDelivery` on the server.
struct DeliveryService: WireEventDelivery.SimpleServiceProtocol {
    let streaming: EventStreaming
    let server: ServerEnvironment

    func subscribe(
        request: RPCAsyncSequence<WireSubscribeRequest, any Error>,
        response: RPCWriter<WireSubscribeResponse>,
        context: ServerContext
    ) async throws {
        let caller = try Caller.required()
        let call = SubscribeCall(server: server, peer: caller.origin, identity: caller.identity)
        try await call.run(reading: request, writing: response)
    }

    func publish(request: WirePublishRequest, context: ServerContext) async throws -> WirePublishResponse {
        let publisher = Publisher(server: server, identity: try Caller.required().identity, ids: streaming.messageIDs)
        guard let result = await publisher.publish([request]).first else { throw EventStreamingError.internalError }
        return WirePublishResponse(try result.get())
    }

    func publishStream(
        request: RPCAsyncSequence<WirePublishStreamRequest, any Error>,
        response: RPCWriter<WirePublishStreamResponse>,
        context: ServerContext
    ) async throws {
        let publisher = Publisher(server: server, identity: try Caller.required().identity, ids: streaming.messageIDs)
        try await PublishCall(publisher: publisher).run(reading: request, writing: response)
    }

    func replay(
        request: WireReplayRequest,
        response: RPCWriter<WireReplayResponse>,
        context: ServerContext
    ) async throws {
        let stream = try StreamName(request.stream)
        try await server.access.authorize(try Caller.required().identity, .replay(stream))
        try await ReplayCall(streaming: streaming, server: server).run(request, writing: response)
    }
}

extension WirePublishResponse {
    init(_ result: AppendResult) {
        self.init()
        offsets = WireOffsetRange(result.offsets)
        isDuplicate = result.isDuplicate
    }
}
