import CQRS
import EventStreamingCore
import Synchronization

/// A command that is being sent under a key, on its way through the bus to its handler.
///
/// The bus knows nothing of it: it is bound to the task, and whoever runs the handler looks for it.
final class KeyedSend<C: Command>: Sendable {
    let key: CommandKey
    private let command: String
    private let encode: @Sendable (C.Response) throws(EventStreamingError) -> [UInt8]
    private let decode: @Sendable ([UInt8]) throws(EventStreamingError) -> C.Response
    private let taken = Atomic(false)

    /// - Throws: `invalidArgument` for a key that cannot be one; `encodingFailed` for a command that cannot be encoded.
    init(
        _ command: C,
        key: String,
        encode: @escaping @Sendable (C.Response) throws(EventStreamingError) -> [UInt8],
        decode: @escaping @Sendable ([UInt8]) throws(EventStreamingError) -> C.Response
    ) throws(EventStreamingError) where C: Encodable {
        self.key = try CommandKey(key, ofCommand: C.commandName)
        self.command = SHA256.text(try JSONText.encode(command, as: C.commandName))
        self.encode = encode
        self.decode = decode
    }

    /// Whether a handler that works in a workflow was reached.
    var wasTaken: Bool { taken.load(ordering: .relaxed) }

    func take() {
        taken.store(true, ordering: .relaxed)
    }

    /// What is recorded with the first event.
    func record(_ response: C.Response) throws(EventStreamingError) -> CommandRecord {
        let bytes = try encode(response)
        // JSON leaves one control character as it is, and headers must not have it.
        let text = String(decoding: bytes, as: UTF8.self).split(separator: "\u{7F}", omittingEmptySubsequences: false)
        return CommandRecord(key: key, response: text.joined(separator: "\\u007f"), command: command)
    }

    /// The response that was recorded with the first event.
    ///
    /// - Throws: `idempotencyKeyConflict` when it is that of another command; `eventIDConflict` when there is none;
    ///   `decodingFailed`.
    func response(recordedWith event: StoredEvent) throws(EventStreamingError) -> C.Response {
        guard let record = CommandRecord(event, of: key) else {
            throw EventStreamingError(
                .eventIDConflict,
                "Event \(event.id) has the id of an event of this command, but no response is recorded with it."
            )
        }
        guard record.command == command else {
            throw EventStreamingError(
                .idempotencyKeyConflict,
                "Another \(C.commandName) was sent with this idempotency key; use a new key for a new command."
            )
        }
        return try decode(Array(record.response.utf8))
    }
}

/// Finds the ``KeyedSend`` of a command.
enum KeyedSending {
    @TaskLocal static var current: (any Sendable)?

    /// That of a command of this type; `nil` when it was sent without a key.
    static func of<C: Command>(_ command: C.Type) -> KeyedSend<C>? {
        current as? KeyedSend<C>
    }
}
