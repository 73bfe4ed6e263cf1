import EventStreaming
import EventStreamingGRPC
import GRPCCore
import SwiftProtobuf
import Testing

@Suite("Health and reflection", .timeLimit(.minutes(5)))
struct HealthTests {
    @Test("serving while it does, for the server and for each service")
    func check() async throws {
        try await TestServer.run { server in
            try await server.withClient { client in
                let health = WireHealth.Client(wrapping: client)
                for service in ["", "eventstreaming.v1.EventDelivery", "eventstreaming.v1.Messages"] {
                    var request = WireHealthCheckRequest()
                    request.service = service
                    let status = try await health.check(request).status
                    #expect(status == .serving)
                }
                var unknown = WireHealthCheckRequest()
                unknown.service = "nothing"
                let error = await #expect(throws: RPCError.self) { try await health.check(unknown) }
                #expect(error?.code == .notFound)
            }
        }
    }

    @Test("who watches is told when the server stops")
    func watch() async throws {
        try await TestServer.run { server in
            try await server.withClient { client in
                let states = try await WireHealth.Client(wrapping: client).watch(WireHealthCheckRequest()) { response in
                    var states: [WireHealthCheckResponse.ServingStatus] = []
                    for try await state in response.messages {
                        states.append(state.status)
                        server.provider.beginShutdown()
                    }
                    return states
                }
                #expect(states == [.serving, .notServing])
            }
        }
    }

    @Test("reflection tells of every service, and describes every symbol")
    func reflection() async throws {
        try await TestServer.run { server in
            try await server.withClient { client in
                let answers = try await WireServerReflection.Client(wrapping: client).serverReflectionInfo(
                    requestProducer: { writer in
                        var list = WireServerReflectionRequest()
                        list.listServices = ""
                        try await writer.write(list)
                        for symbol in [
                            "eventstreaming.v1.EventDelivery", "eventstreaming.v1.EventDelivery.Subscribe",
                            "eventstreaming.v1.MarkRead.MessageIds", "grpc.health.v1.Health", "nothing",
                        ] {
                            var request = WireServerReflectionRequest()
                            request.fileContainingSymbol = symbol
                            try await writer.write(request)
                        }
                    },
                    onResponse: { response in
                        var answers: [WireServerReflectionResponse] = []
                        for try await answer in response.messages { answers.append(answer) }
                        return answers
                    }
                )
                try #require(answers.count == 6)
                #expect(
                    answers[0].listServicesResponse.service.map(\.name) == [
                        "eventstreaming.v1.EventDelivery", "eventstreaming.v1.Messages", "grpc.health.v1.Health",
                        "grpc.reflection.v1.ServerReflection",
                    ]
                )
                for answer in answers[1...4] {
                    let files = try answer.fileDescriptorResponse.fileDescriptorProto.map {
                        try Google_Protobuf_FileDescriptorProto(serializedBytes: $0)
                    }
                    #expect(files.contains { $0.package == "eventstreaming.v1" || $0.package == "grpc.health.v1" })
                }
                #expect(answers[5].errorResponse.errorCode == Int32(Status.Code.notFound.rawValue))
            }
        }
    }
}
