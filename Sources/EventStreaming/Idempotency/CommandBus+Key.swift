public import CQRS
import EventStreamingCore

extension CommandBus {
    /// Sends a command that has its effect once, however often it is sent: the events of the first time are kept, and
    /// their sender's response is what everybody gets.
    ///
    /// For handlers that work in a workflow. The response is recorded with the first event, in the same append, and in the
    /// transaction of what the handler writes there. When the command is sent again with its key, the handler is not
    /// called, and the recorded response is returned; middleware and rules run all the same. When it is sent twice at a
    /// time both handlers may run, and one commits: the other's events and writes are dropped, and its sender gets the
    /// recorded response too, also where its handler has failed meanwhile.
    ///
    /// The ids of the command, of its events and of a workflow that it starts follow from the name of the command and the
    /// key, in every process. A key is remembered for as long as the stream keeps the first event, so not for long in an
    /// ephemeral stream; while the stream has lost that event, and keeps a later one of the same command, sending it again
    /// throws `eventIDConflict`. A handler that emits nothing records nothing, and so does one that throws: it runs again.
    ///
    /// Costs a look-up in the stream, one more when the handler fails, and a hash of the command as JSON. Cancelled, it
    /// behaves as ``CQRS/CommandBus/send(_:)``.
    ///
    /// - Parameters:
    ///   - command: The command. Its JSON must be the same each time, so a `Set`, whose order changes, must not be in it.
    ///   - key: What tells this request from all others of the type, chosen by who sends it: 1 to 255 bytes, compared
    ///     byte by byte.
    /// - Returns: The response of the handler, or the recorded one.
    /// - Throws: What ``CQRS/CommandBus/send(_:)`` throws; `EventStreamingError` with code `invalidArgument` for a key that
    ///   cannot be one, `idempotencyKeyConflict` when another command of the type was sent with it, `headersTooLarge` when
    ///   the response has no room in the headers of an event, `encodingFailed` and `decodingFailed` when command or
    ///   response have no JSON, and `unsupported` when the command's handler works in no workflow.
    public func send<C: Command & Encodable>(
        _ command: C,
        idempotencyKey key: String
    ) async throws -> C.Response where C.Response: Codable {
        let keyed = try KeyedSend(command, key: key) { (response) throws(EventStreamingError) in
            try JSONText.encode(response, as: "the response of \(C.commandName)")
        } decode: { (bytes) throws(EventStreamingError) in
            try JSONText.decode(C.Response.self, from: bytes, as: "response of \(C.commandName)")
        }
        return try await send(command, keyed)
    }

    /// Sends a command without a response that has its effect once, however often it is sent; otherwise as for commands
    /// with one.
    ///
    /// - Parameters:
    ///   - command: The command. Its JSON must be the same each time.
    ///   - key: What tells this request from all others of the type: 1 to 255 bytes.
    /// - Throws: As for commands with a response.
    public func send<C: Command & Encodable>(
        _ command: C,
        idempotencyKey key: String
    ) async throws where C.Response == Void {
        let keyed = try KeyedSend(command, key: key) { (_) throws(EventStreamingError) in
            Array("null".utf8)
        } decode: { (_) throws(EventStreamingError) in
        }
        try await send(command, keyed)
    }

    private func send<C: Command>(_ command: C, _ keyed: KeyedSend<C>) async throws -> C.Response {
        let response = try await KeyedSending.$current.withValue(keyed) { try await send(command) }
        guard keyed.wasTaken else {
            throw EventStreamingError(
                .unsupported,
                "\(C.commandName) was answered without a handler that works in a workflow, so its key had no effect."
            )
        }
        return response
    }
}
