import EventStreaming
import Testing

@testable import UserService

@Suite("Command record")
struct CommandRecordTests {
    private func record(_ line: String) throws(UserServiceError) -> CommandRecord? {
        try CommandRecord(line: Array(line.utf8))
    }

    /// The code with which a line is refused.
    private func code(_ line: [UInt8]) -> UserServiceError.Code? {
        do throws(UserServiceError) {
            _ = try CommandRecord(line: line)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("Every command is read with all its fields")
    func commands() throws {
        guard
            case .addUser(let add) = try record(
                #"{"command":"AddUser","id":"u1","name":"Ada","email":"a@b.c","about":"x"}"#
            )
        else {
            Issue.record("not AddUser")
            return
        }
        #expect(add.workflowID?.rawValue == "u1")
        #expect([add.name, add.email, add.about] == ["Ada", "a@b.c", "x"])

        guard case .removeUser(let remove) = try record(#"{"command":"RemoveUser","user":"u1"}"#) else {
            Issue.record("not RemoveUser")
            return
        }
        #expect(remove.workflowID?.rawValue == "u1")

        guard
            case .inviteUser(let invite) = try record(
                #"{"command":"InviteUser","email":"a@b.c","invitedBy":"u1","credit":10,"seats":4}"#
            )
        else {
            Issue.record("not InviteUser")
            return
        }
        #expect(invite.workflowID == nil)
        #expect(invite.invitedBy.rawValue == "u1")
        #expect(invite.credit == 10 && invite.seats == 4)

        guard
            case .acceptInvitation(let accept) = try record(
                #"{"command":"AcceptInvitation","invitation":"i1","name":"Eve"}"#
            )
        else {
            Issue.record("not AcceptInvitation")
            return
        }
        #expect(accept.workflowID?.rawValue == "i1")

        guard
            case .declineInvitation(let decline) = try record(#"{"command":"DeclineInvitation","invitation":"i1"}"#)
        else {
            Issue.record("not DeclineInvitation")
            return
        }
        #expect(decline.workflowID?.rawValue == "i1")
    }

    @Test("Blank lines and comments mean nothing", arguments: ["", " ", "\t", "# text", "  # text", "#"])
    func comments(_ line: String) throws {
        #expect(try record(line) == nil)
    }

    @Test(
        "What is no command is refused with its code",
        arguments: [
            ("{", UserServiceError.Code.invalidJSON), ("AddUser", .invalidJSON),
            (#"{"command":"AddUser"} x"#, .invalidJSON),
            (String(repeating: "[", count: 100_000), .invalidJSON),
            (#"{"command":"AddUser","name":1e999}"#, .invalidField),
            ("[]", .notAnObject), ("17", .notAnObject), ("null", .notAnObject), (#""AddUser""#, .notAnObject),
            ("{}", .missingField), (#"{"command":"AddUser","name":"Ada"}"#, .missingField),
            (#"{"command":17}"#, .invalidField), (#"{"command":"AddUser","name":null,"email":""}"#, .invalidField),
            (#"{"command":"RemoveUser","user":""}"#, .invalidField),
            (#"{"command":"RemoveUser","user":7}"#, .invalidField),
            (#"{"command":"RemoveUser","user":"a\u0000b"}"#, .invalidField),
            (#"{"command":"addUser"}"#, .unknownCommand), (#"{"command":""}"#, .unknownCommand),
            ("{\"command\":\"\u{1B}[31m\"}", .invalidJSON), (#"{"command":"\u001b[31m"}"#, .unknownCommand),
        ]
    )
    func refused(_ line: String, _ expected: UserServiceError.Code) {
        #expect(code(Array(line.utf8)) == expected)
    }

    @Test(
        "Bytes that are no UTF-8 are refused", arguments: [[0xFF], [0x7B, 0xC3], [0x23, 0x80], [0xED, 0xA0, 0x80]])
    func invalidUTF8(_ line: [UInt8]) {
        #expect(code(line) == .invalidUTF8)
    }

    @Test("Messages name the field, and bring no control characters to a terminal")
    func messages() {
        #expect(throws: UserServiceError(.missingField, "The field 'email' is missing; add it.")) {
            try record(#"{"command":"AddUser","name":"Ada"}"#)
        }
        #expect(throws: UserServiceError(.invalidField, "The field 'credit' must be a number.")) {
            try record(#"{"command":"InviteUser","email":"","invitedBy":"u","credit":"x"}"#)
        }
        do throws(UserServiceError) {
            _ = try record(#"{"command":"\u001b[31m"}"#)
        } catch {
            #expect(error.message.unicodeScalars.allSatisfy { $0.value >= 0x20 })
        }
    }
}
