public import CQRS
public import EventStreaming
import EventStreamingCore
public import SwiftProtobuf

extension RemoteMessages {
    /// Offers a command that is a protobuf message and answers with one.
    ///
    /// There is no idempotency key in this form: a request that has one is refused with code `unsupported`.
    public mutating func offerMessage<C: Command & Message>(_ type: C.Type) where C.Response: Message {
        add(.command, C.commandName, .protobuf) { body, key, streaming in
            guard key == nil else {
                throw EventStreamingError(
                    .unsupported,
                    "An idempotency key is possible with a JSON body only."
                )
            }
            let command = try Self.message(C.self, from: body, as: C.commandName)
            return try await streaming.commands.send(command).serializedBytes()
        }
    }

    /// Offers a query that is a protobuf message and answers with one.
    public mutating func offerMessage<Q: Query & Message>(_ type: Q.Type) where Q.Response: Message {
        add(.query, Q.queryName, .protobuf) { body, _, streaming in
            let query = try Self.message(Q.self, from: body, as: Q.queryName)
            return try await streaming.queries.ask(query).serializedBytes()
        }
    }

    private static func message<M: Message>(
        _ type: M.Type,
        from body: [UInt8],
        as name: String
    ) throws(EventStreamingError) -> M {
        do {
            return try M(serializedBytes: body)
        } catch {
            throw EventStreamingError(.invalidArgument, "The body is not the protobuf message of \(name).")
        }
    }
}
