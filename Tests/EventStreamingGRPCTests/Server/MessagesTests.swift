import CQRS
import EventStreaming
import EventStreamingGRPC
import GRPCCore
import SwiftProtobuf
import Testing

private struct PlaceOrder: Command, Codable, Validatable {
    typealias Response = Int
    var number: Int

    func validate(_ violations: inout Violations) {
        violations.range(number, in: 0...1_000_000, field: "number")
    }
}

private struct PlaceOrderHandler: WorkflowCommandHandler {
    func handle(_ command: PlaceOrder, in workflow: inout WorkflowContext<ShopWorkflow>) async throws -> Int {
        workflow.emit(OrderPlaced(number: command.number))
        return command.number * 10
    }
}

private struct Double: CQRS.Query, Codable {
    typealias Response = Int
    var number: Int
}

private struct Hidden: Command, Codable {
    typealias Response = Int
}

private struct Stuck: Command, Codable {}

private struct Failing: Command, Codable {}

private struct Secret: Error {
    let text = "the database's password is 1234"
}

@Suite("Commands and queries over the wire", .timeLimit(.minutes(5)))
struct MessagesTests {
    private func run(_ body: @escaping @Sendable (TestServer) async throws -> Void) async throws {
        var messages = RemoteMessages()
        messages.offer(PlaceOrder.self)
        messages.offer(Double.self)
        messages.offer(Stuck.self)
        messages.offer(Failing.self)
        messages.add(.query, "Echo", .protobuf) { body, _, _ in body }
        try await TestServer.run(
            .with(
                messages: messages,
                service: { service in
                    service.commands.add(PlaceOrderHandler())
                    service.commands.on(Hidden.self) { _ in 1 }
                    service.commands.on(Failing.self) { _ in throw Secret() }
                    service.commands.on(Stuck.self) { _ in
                        // Until it is cancelled.
                        for await _ in AsyncStream<Never>.makeStream().stream {}
                        try Task.checkCancellation()
                    }
                    service.queries.on(Double.self) { $0.number * 2 }
                }),
            body
        )
    }

    private func send(_ server: TestServer, _ name: String, _ json: String, key: String = "") async throws -> String {
        try await server.withClient { client in
            var request = WireSendCommandRequest()
            request.name = name
            request.body.jsonBytes = Array(json.utf8)
            request.idempotencyKey = key
            let response = try await WireMessages.Client(wrapping: client).sendCommand(request)
            return String(decoding: response.body.jsonBytes ?? [], as: UTF8.self)
        }
    }

    private func ask(_ server: TestServer, _ name: String, _ fill: @Sendable (inout WireBody) -> Void) async throws
        -> WireBody
    {
        var request = WireAskQueryRequest()
        request.name = name
        fill(&request.body)
        return try await server.withClient { [request] client in
            try await WireMessages.Client(wrapping: client).askQuery(request).body
        }
    }

    @Test("a command is carried out, once for each key")
    func command() async throws {
        try await run { server in
            let answer = try await send(server, "PlaceOrder", #"{"number":4}"#)
            #expect(answer == "40")
            let nextAnswer = try await send(server, "PlaceOrder", #"{"number":5}"#, key: "k")
            #expect(nextAnswer == "50")
            let thenAnswer = try await send(server, "PlaceOrder", #"{"number":5}"#, key: "k")
            #expect(thenAnswer == "50")
            let length = try await server.streaming.metadata(of: "shop").length
            #expect(length == 2)
            let other = await wireCode { _ = try await send(server, "PlaceOrder", #"{"number":6}"#, key: "k") }
            #expect(other == "eventStreaming.idempotencyKeyConflict")
        }
    }

    @Test("a query is answered, in the form in which it was asked")
    func query() async throws {
        try await run { server in
            let answer = try await ask(server, "Double") { $0.jsonBytes = Array(#"{"number":21}"#.utf8) }
            #expect(answer.jsonBytes == Array("42".utf8))
            let echo = try await ask(server, "Echo") { $0.protobufBytes = [1, 2, 3] }
            #expect(echo.protobufBytes == [1, 2, 3])
        }
    }

    @Test("what is not offered, not understood or against a rule is refused with its code, and nothing happens")
    func refusals() async throws {
        try await run { server in
            let key = String(repeating: "k", count: 256)
            for (name, json, key, code) in [
                ("Hidden", "{}", "", "unsupported"), ("Double", #"{"number":1}"#, "", "unsupported"),
                ("", "{}", "", "unsupported"), ("PlaceOrder", "{}", "", "invalidArgument"),
                ("PlaceOrder", "", "", "invalidArgument"), ("PlaceOrder", #"{"number":1e400}"#, "", "invalidArgument"),
                ("PlaceOrder", String(repeating: "[", count: 100_000), "", "invalidArgument"),
                ("PlaceOrder", #"{"number":-1}"#, "", "invalidArgument"),
                ("PlaceOrder", #"{"number":1}"#, key, "invalidArgument"),
            ] {
                let found = await wireCode { _ = try await send(server, name, json, key: key) }
                #expect(found == "eventStreaming.\(code)", "\(name) \(json.prefix(20))")
            }
            let noBody = await wireCode { _ = try await ask(server, "Double") { _ in } }
            #expect(noBody == "eventStreaming.invalidArgument")
            let form = await wireCode { _ = try await ask(server, "Double") { $0.protobufBytes = [] } }
            #expect(form == "eventStreaming.unsupported")
            let length = try await server.streaming.metadata(of: "shop").length
            #expect(length == 0)
        }
    }

    @Test("what a handler throws is told to nobody outside")
    func failure() async throws {
        try await run { server in
            do {
                _ = try await send(server, "Failing", "{}")
                Issue.record("The command succeeded.")
            } catch let error as RPCError {
                #expect(error.code == .internalError)
                #expect(error.wireCode == "eventStreaming.handlerFailed")
                #expect(!"\(error)".contains("1234"))
            }
        }
    }

    @Test("a command whose deadline passes is cancelled")
    func deadline() async throws {
        try await run { server in
            let code = await wireCode {
                try await server.withClient { client in
                    var request = WireSendCommandRequest()
                    request.name = "Stuck"
                    request.body.jsonBytes = Array("{}".utf8)
                    var options = CallOptions.defaults
                    options.timeout = .milliseconds(50)
                    _ = try await WireMessages.Client(wrapping: client).sendCommand(request, options: options)
                }
            }
            #expect(code == "eventStreaming.timedOut" || code == "status deadlineExceeded")
        }
    }
}
