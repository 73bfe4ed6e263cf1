import EventStreaming
import Foundation

/// A line of the input as the command it asks for.
///
/// ```json
/// {"command":"AddUser","id":"user-1","name":"Ada Lovelace","email":"ada@example.org"}
/// ```
///
/// `command` is the command's name, the rest are its fields; fields it does not know are passed over.
enum CommandRecord: Decodable {
    case addUser(AddUser)
    case removeUser(RemoveUser)
    case inviteUser(InviteUser)
    case acceptInvitation(AcceptInvitation)
    case declineInvitation(DeclineInvitation)

    private enum CodingKeys: String, CodingKey {
        case command
    }

    private static let names = [
        AddUser.commandName, RemoveUser.commandName, InviteUser.commandName, AcceptInvitation.commandName,
        DeclineInvitation.commandName,
    ]

    init(from decoder: any Decoder) throws {
        let name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .command)
        self =
            switch name {
            case AddUser.commandName: .addUser(try AddUser(from: decoder))
            case RemoveUser.commandName: .removeUser(try RemoveUser(from: decoder))
            case InviteUser.commandName: .inviteUser(try InviteUser(from: decoder))
            case AcceptInvitation.commandName: .acceptInvitation(try AcceptInvitation(from: decoder))
            case DeclineInvitation.commandName: .declineInvitation(try DeclineInvitation(from: decoder))
            default:
                throw UserServiceError(
                    .unknownCommand,
                    "There is no command \(name.printable()); use one of \(Self.names.joined(separator: ", "))."
                )
            }
    }

    /// Reads the text of a line; `nil` for a blank line and for a comment, which begins with `#`.
    ///
    /// - Throws: Codes `invalidUTF8`, `invalidJSON`, `notAnObject`, `unknownCommand`, `missingField`, `invalidField`.
    init?(line: [UInt8]) throws(UserServiceError) {
        guard let text = String(validating: line, as: UTF8.self) else {
            throw UserServiceError(.invalidUTF8, "The line is not UTF-8 text; save the input in that encoding.")
        }
        guard let first = text.unicodeScalars.first(where: { !$0.properties.isWhitespace }), first != "#" else {
            return nil
        }
        do {
            self = try JSONDecoder().decode(CommandRecord.self, from: Data(line))
        } catch {
            throw UserServiceError(decoding: error)
        }
    }
}

extension UserServiceError {
    /// What a decoder reports, in terms of the line.
    init(decoding error: any Error) {
        switch error {
        case let error as UserServiceError:
            self = error
        case DecodingError.keyNotFound(let key, let context):
            let field = Self.path(context, key)
            self.init(.missingField, "The field '\(field)' is missing; add it.")
        case DecodingError.typeMismatch(let type, let context):
            self.init(field: Self.path(context), "must be \(Self.name(of: type))")
        case DecodingError.valueNotFound(let type, let context):
            self.init(field: Self.path(context), "must be \(Self.name(of: type)), not null")
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            let reason = context.debugDescription
            self.init(
                field: Self.path(context), "is not valid: \(reason.hasSuffix(".") ? String(reason.dropLast()) : reason)"
            )
        default:
            self.init(
                .invalidJSON,
                "The line is not valid JSON, or has a number beyond all bounds; write one object on one line.")
        }
    }

    private init(field: String, _ rule: String) {
        if field.isEmpty {
            self.init(.notAnObject, #"The line is no JSON object; write {"command":"AddUser", …} with its fields."#)
        } else {
            self.init(.invalidField, "The field '\(field)' \(rule).")
        }
    }

    private static func path(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
        (context.codingPath + [key].compactMap { $0 }).map(\.stringValue).joined(separator: ".")
    }

    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is String.Type, is WorkflowID.Type: "text"
        case is Double.Type: "a number"
        default: "an object"
        }
    }
}

extension String {
    /// Text from outside made fit for a terminal: quoted, shortened, and with everything escaped that is not seen or
    /// changes how the rest is shown.
    func printable(limit: Int = 60) -> String {
        let start = unicodeScalars.prefix(limit).map { scalar in
            scalar.escaped(asASCII: scalar.properties.isBidiControl || scalar.properties.generalCategory == .format)
        }
        return "\"\(start.joined())\"" + (unicodeScalars.dropFirst(limit).isEmpty ? "" : "…")
    }
}
