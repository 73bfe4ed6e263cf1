import EventStreaming
import EventStreamingCore
import GRPCCore

extension GRPCConnection: MessageSender {
    func send(
        command name: String,
        _ body: [UInt8],
        idempotencyKey: String?
    ) async throws(EventStreamingError) -> [UInt8] {
        var message = WireSendCommandRequest()
        message.name = name
        message.body.jsonBytes = body
        message.idempotencyKey = idempotencyKey ?? ""
        return try await call { [message] metadata, options in
            try await self.messages.sendCommand(message, metadata: metadata, options: options).body
        }
    }

    func ask(query name: String, _ body: [UInt8]) async throws(EventStreamingError) -> [UInt8] {
        var message = WireAskQueryRequest()
        message.name = name
        message.body.jsonBytes = body
        return try await call { [message] metadata, options in
            try await self.messages.askQuery(message, metadata: metadata, options: options).body
        }
    }

    private func call(
        _ call: @Sendable (Metadata, CallOptions) async throws -> WireBody
    ) async throws(EventStreamingError) -> [UInt8] {
        guard options.callTimeout > .zero else { throw Self.tooLate }
        let body: WireBody
        do {
            body = try await call(try await options.metadata(), options.callOptions(timeout: options.callTimeout))
        } catch {
            throw EventStreamingError(calling: error)
        }
        guard let json = body.jsonBytes else {
            throw EventStreamingError(.decodingFailed, "The server's response is not JSON.")
        }
        return json
    }

    static var tooLate: EventStreamingError {
        EventStreamingError(.timedOut, "The call's time was over before it began.")
    }
}
