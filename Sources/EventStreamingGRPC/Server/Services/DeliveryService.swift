import EventStreaming
import EventStreamingCore
import GRPCCore
import GRPCProtobuf

/// `eventstreaming.v1.EventDelivery` on the server.
struct DeliveryService: RegistrableRPCService {
    let streaming: EventStreaming
    let server: ServerEnvironment

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(
            forMethod: WireEventDelivery.Method.Subscribe.descriptor,
            deserializer: ProtobufDeserializer<WireSubscribeRequest>(),
            serializer: SubscribeFrameSerializer()
        ) { request, _ in
            StreamingServerResponse { writer in
                let caller = try Caller.required()
                let call = SubscribeCall(server: server, peer: caller.origin, identity: caller.identity)
                try await call.run(reading: request.messages, writing: writer)
                return [:]
            }
        }
        router.registerHandler(
            forMethod: WireEventDelivery.Method.Publish.descriptor,
            deserializer: ProtobufDeserializer<WirePublishRequest>(),
            serializer: ProtobufSerializer<WirePublishResponse>()
        ) { request, _ in
            let request = try await ServerRequest(stream: request)
            return StreamingServerResponse(single: ServerResponse(message: try await publish(request.message)))
        }
        router.registerHandler(
            forMethod: WireEventDelivery.Method.PublishStream.descriptor,
            deserializer: AppendFrameDeserializer(),
            serializer: ProtobufSerializer<WirePublishStreamResponse>()
        ) { request, _ in
            StreamingServerResponse { writer in
                try await PublishCall(publisher: publisher()).run(reading: request.messages, writing: writer)
                return [:]
            }
        }
        router.registerHandler(
            forMethod: WireEventDelivery.Method.Replay.descriptor,
            deserializer: ProtobufDeserializer<WireReplayRequest>(),
            serializer: ProtobufSerializer<WireReplayResponse>()
        ) { request, _ in
            let request = try await ServerRequest(stream: request)
            return StreamingServerResponse { writer in
                try await replay(request.message, writing: writer)
                return [:]
            }
        }
    }

    private func publisher() throws(EventStreamingError) -> Publisher {
        Publisher(server: server, identity: try Caller.required().identity, ids: streaming.messageIDs)
    }

    private func publish(_ request: WirePublishRequest) async throws -> WirePublishResponse {
        guard let result = try await publisher().publish([AppendRequest(request)]).first else {
            throw EventStreamingError.internalError
        }
        return WirePublishResponse(try result.get())
    }

    private func replay(_ request: WireReplayRequest, writing writer: RPCWriter<WireReplayResponse>) async throws {
        let stream = try StreamName(request.stream)
        try await server.access.authorize(try Caller.required().identity, .replay(stream))
        try await ReplayCall(streaming: streaming, server: server).run(request, writing: writer)
    }
}

extension WirePublishResponse {
    init(_ result: AppendResult) {
        self.init()
        offsets = WireOffsetRange(result.offsets)
        isDuplicate = result.isDuplicate
    }
}
