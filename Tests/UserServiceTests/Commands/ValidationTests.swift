import EventStreaming
import Testing

@testable import UserService

@Suite("Validation")
struct ValidationTests {
    /// The fields and rules that a command breaks.
    private func broken(_ command: some Validatable) -> [String] {
        var violations = Violations()
        command.validate(&violations)
        return violations.all.map { "\($0.field).\($0.rule)" }
    }

    private func user(_ name: String = "Ada", _ email: String = "ada@example.org") -> AddUser {
        AddUser(id: nil, name: name, email: email, about: nil)
    }

    @Test(
        "Names of all peoples are fine",
        arguments: [
            "Ada Lovelace", "O", "山田 太郎", "محمد علي", "Zoë 🎉", "Siobhán O’Brien", "Robert'); DROP TABLE users;--",
            String(repeating: "n", count: 100),
        ]
    )
    func names(_ name: String) {
        #expect(broken(user(name)) == [])
    }

    @Test(
        "Hostile names are not",
        arguments: [
            ("", ["name.length"]), (" ", ["name.letter"]), ("..", ["name.letter"]), ("🎉", ["name.letter"]),
            (String(repeating: "n", count: 300), ["name.length"]), ("a\u{7}", ["name.noControlCharacters"]),
            ("a\nb", ["name.noControlCharacters"]), ("a\u{202E}b", ["name.noControlCharacters"]),
            ("a\u{2028}b", ["name.noControlCharacters"]), ("\u{0}", ["name.letter", "name.noControlCharacters"]),
        ]
    )
    func hostileNames(_ name: String, _ expected: [String]) {
        #expect(broken(user(name)) == expected)
    }

    @Test("Addresses", arguments: ["a@b.c", "ada+x@example.co.uk", "用户@例子.广告"])
    func addresses(_ email: String) {
        #expect(broken(user("Ada", email)) == [])
    }

    @Test(
        "No addresses",
        arguments: [
            "", "@", "ada", "ada@", "@example.org", "ada@example", "a@b@c.d", "a b@c.d", "a@c.d\n", "a@.d", "a@d.",
            String(repeating: "a", count: 65) + "@b.c", "a@" + String(repeating: "b.", count: 130) + "c",
        ]
    )
    func noAddresses(_ email: String) {
        #expect(broken(user("Ada", email)) == ["email.email"])
    }

    @Test("References", arguments: ["a", "inv-17", "A.b_c-9", String(repeating: "r", count: 64)])
    func references(_ id: String) throws {
        #expect(broken(RemoveUser(user: try WorkflowID(id), reason: nil)) == [])
    }

    @Test(
        "No references",
        arguments: ["..", "a..b", "../x", "-a", ".a", "a b", "a/b", "ü", "🎉", String(repeating: "r", count: 65)]
    )
    func noReferences(_ id: String) throws {
        #expect(broken(RemoveUser(user: try WorkflowID(id), reason: nil)) == ["user.reference"])
    }

    @Test("Everything that is wrong is told at once")
    func all() throws {
        let command = InviteUser(
            id: try WorkflowID("a b"),
            email: "x",
            invitedBy: try WorkflowID(".."),
            credit: -1,
            seats: 0.5
        )
        let expected = [
            "id.reference", "email.email", "invitedBy.reference", "credit.range", "seats.wholeNumber",
        ]
        #expect(broken(command) == expected)
    }
}
