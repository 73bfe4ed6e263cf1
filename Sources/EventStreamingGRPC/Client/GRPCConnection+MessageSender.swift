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
        return try await call { [message] link, metadata, options in
            try await link.messages.sendCommand(message, metadata: metadata, options: options).body
        }
    }

    func ask(query name: String, _ body: [UInt8]) async throws(EventStreamingError) -> [UInt8] {
        var message = WireAskQueryRequest()
        message.name = name
        message.body.jsonBytes = body
        return try await call { [message] link, metadata, options in
            try await link.messages.askQuery(message, metadata: metadata, options: options).body
        }
    }

    private func call(
        _ call: @escaping @Sendable (GRPCLink, Metadata, CallOptions) async throws -> WireBody
    ) async throws(EventStreamingError) -> [UInt8] {
        guard options.callTimeout > .zero else { throw Self.tooLate }
        let body: WireBody
        do {
            let (metadata, options) = (try await options.metadata(), options.callOptions(timeout: options.callTimeout))
            body = try await links.current.call { try await call($0, metadata, options) }
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
