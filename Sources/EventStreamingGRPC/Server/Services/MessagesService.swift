import CQRS
import EventStreaming
import EventStreamingCore
import GRPCCore

/// `eventstreaming.v1.Messages` on the server.
struct MessagesService: WireMessages.SimpleServiceProtocol {
    let streaming: EventStreaming
    let messages: RemoteMessages
    let server: ServerEnvironment

    func sendCommand(request: WireSendCommandRequest, context: ServerContext) async throws -> WireSendCommandResponse {
        try await server.access.authorize(try Caller.required().identity, .send(command: request.name))
        let key = request.idempotencyKey.isEmpty ? nil : request.idempotencyKey
        var response = WireSendCommandResponse()
        response.body = try await call(.command, request.name, request.body, key: key, context)
        return response
    }

    func askQuery(request: WireAskQueryRequest, context: ServerContext) async throws -> WireAskQueryResponse {
        try await server.access.authorize(try Caller.required().identity, .ask(query: request.name))
        var response = WireAskQueryResponse()
        response.body = try await call(.query, request.name, request.body, key: nil, context)
        return response
    }

    private func call(
        _ kind: RemoteMessages.Kind,
        _ name: String,
        _ body: WireBody,
        key: String?,
        _ context: ServerContext
    ) async throws -> WireBody {
        let (form, bytes): (RemoteMessages.Form, [UInt8]) =
            if let json = body.jsonBytes {
                (.json, json)
            } else if let message = body.protobufBytes {
                (.protobuf, message)
            } else {
                throw EventStreamingError(.invalidArgument, "The request has no body.")
            }
        let result = try await context.cancelling(at: server.registry) {
            do {
                return try await messages.call(kind, name, form, body: bytes, key: key, of: streaming)
            } catch let error as ValidationError {
                throw EventStreamingError(
                    .invalidArgument,
                    "\(error.messageName) breaks \(error.violations.count) of its rules.",
                    problems: error.violations.map { "\($0)" }
                )
            } catch let error as CQRSError {
                throw EventStreamingError(.unsupported, error.message)
            }
        }
        var answer = WireBody()
        if form == .json {
            answer.jsonBytes = result
        } else {
            answer.protobufBytes = result
        }
        return answer
    }
}

extension ServerContext {
    /// Calls `body` in a task that is cancelled when the call is: by the peer, by its deadline, or with its connection. While
    /// the server drains, where the transport cancels all calls, `body` may finish.
    func cancelling<Result: Sendable>(
        at server: PeerRegistry,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let caller = Caller.current
        return try await withThrowingTaskGroup(of: Result.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await cancellation.cancelled
                if server.isDraining {
                    // Until the task is cancelled, which is when the other one has an answer.
                    await Signal().wait(since: 0)
                    throw CancellationError()
                }
                throw EventStreamingError(
                    caller?.hasDeadline == true ? .timedOut : .cancelled,
                    "The call was cancelled, or its deadline passed, before there was an answer."
                )
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() else { throw EventStreamingError.internalError }
            return result
        }
    }
}
