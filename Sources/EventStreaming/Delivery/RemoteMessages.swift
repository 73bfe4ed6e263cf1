public import CQRS
import EventStreamingCore

/// The commands and queries that other processes may send by name, whatever the transport.
///
/// Nothing is offered by itself: each type is named here, and travels under its ``/CQRS/Command/commandName`` or
/// ``/CQRS/Query/queryName``, with its JSON as the body.
public struct RemoteMessages: Sendable {
    /// What a message is: one of either kind may have the name of one of the other.
    public enum Kind: Sendable, Hashable {
        /// A command.
        case command
        /// A query.
        case query
    }

    /// Carries out a message that came as bytes.
    ///
    /// - Parameters:
    ///   - body: The message, encoded.
    ///   - key: The idempotency key, for commands that have one.
    ///   - streaming: The service that handles it.
    /// - Returns: The response, encoded.
    public typealias Handler =
        @Sendable (
            _ body: [UInt8], _ key: String?, _ streaming: EventStreaming
        ) async throws -> [UInt8]

    /// How a message is encoded.
    public struct Form: Sendable, Hashable {
        private let name: String

        /// JSON.
        public static let json = Form(name: "JSON")
        /// A protobuf message.
        public static let protobuf = Form(name: "protobuf")

        /// The form's name, for people.
        public var description: String { name }
    }

    private struct Key: Hashable {
        let kind: Kind
        let name: String
        let form: Form
    }

    private var handlers: [Key: Handler] = [:]
    private var names: [Kind: Set<String>] = [:]

    /// Offers nothing.
    public init() {}

    /// Offers what `configure` names.
    public init(_ configure: (inout RemoteMessages) throws -> Void) rethrows {
        try configure(&self)
    }

    // MARK: - Offering

    /// Offers a command by its JSON. With an idempotency key it has its effect once, as `send(_:idempotencyKey:)` of the bus
    /// says.
    public mutating func offer<C: Command & Codable>(_ type: C.Type) where C.Response: Codable {
        add(.command, C.commandName, .json) { body, key, streaming in
            let command = try Self.decode(C.self, from: body, as: C.commandName)
            let response =
                if let key {
                    try await streaming.commands.send(command, idempotencyKey: key)
                } else {
                    try await streaming.commands.send(command)
                }
            return try JSONText.encode(response, as: "the response of \(C.commandName)")
        }
    }

    /// Offers a command without a response by its JSON.
    public mutating func offer<C: Command & Codable>(_ type: C.Type) where C.Response == Void {
        add(.command, C.commandName, .json) { body, key, streaming in
            let command = try Self.decode(C.self, from: body, as: C.commandName)
            if let key {
                try await streaming.commands.send(command, idempotencyKey: key)
            } else {
                try await streaming.commands.send(command)
            }
            return Array("null".utf8)
        }
    }

    /// Offers a query by its JSON.
    public mutating func offer<Q: Query & Decodable>(_ type: Q.Type) where Q.Response: Encodable {
        add(.query, Q.queryName, .json) { body, _, streaming in
            let query = try Self.decode(Q.self, from: body, as: Q.queryName)
            return try JSONText.encode(try await streaming.queries.ask(query), as: "the response of \(Q.queryName)")
        }
    }

    /// Offers a message in a form of its own; replaces what was offered before for this kind, name and form.
    public mutating func add(_ kind: Kind, _ name: String, _ form: Form, _ handler: @escaping Handler) {
        handlers[Key(kind: kind, name: name, form: form)] = handler
        names[kind, default: []].insert(name)
    }

    // MARK: - Calling

    /// Carries out a message that came from another process.
    ///
    /// - Returns: The response, in the same form.
    /// - Throws: `unsupported` for a name that is not offered, or not in this form; `invalidArgument` for a body that is not
    ///   such a message, and for a key where there can be none; and what the handler throws.
    public func call(
        _ kind: Kind,
        _ name: String,
        _ form: Form,
        body: [UInt8],
        key: String? = nil,
        of streaming: EventStreaming
    ) async throws -> [UInt8] {
        guard let handler = handlers[Key(kind: kind, name: name, form: form)] else {
            let what = kind == .command ? "command" : "query"
            guard names[kind]?.contains(name) == true else {
                throw EventStreamingError(
                    .unsupported,
                    "No \(what) \(EventStreamingError.printable(name)) is offered to other processes."
                )
            }
            throw EventStreamingError(
                .unsupported,
                "The \(what) \(EventStreamingError.printable(name)) is not offered in the form \(form.description)."
            )
        }
        return try await handler(body, key, streaming)
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type,
        from body: [UInt8],
        as name: String
    ) throws(EventStreamingError) -> Value {
        do throws(EventStreamingError) {
            return try JSONText.decode(type, from: body, as: name)
        } catch {
            throw EventStreamingError(
                .invalidArgument,
                "The body is not the JSON of \(name).",
                underlying: error.underlying
            )
        }
    }
}
