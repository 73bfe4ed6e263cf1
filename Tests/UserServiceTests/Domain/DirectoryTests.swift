import EventStreaming
import Testing

@testable import UserService

@Suite("Directory")
struct DirectoryTests {
    private let directory = Directory()
    private let ada: WorkflowID
    private let eve: WorkflowID
    private let invitation: WorkflowID

    init() throws {
        ada = try WorkflowID("ada")
        eve = try WorkflowID("eve")
        invitation = try WorkflowID("inv-1")
    }

    private func expect(_ code: UserServiceError.Code, _ body: () throws(UserServiceError) -> Void) {
        do throws(UserServiceError) {
            try body()
            Issue.record("expected \(code)")
        } catch {
            #expect(error.code == code)
            #expect(!error.message.isEmpty)
        }
    }

    @Test("A user has an id and an address of its own")
    func users() throws {
        try directory.addUser(ada, email: "ada@example.org")
        expect(.idTaken) { () throws(UserServiceError) in try directory.addUser(ada, email: "other@example.org") }
        expect(.emailTaken) { () throws(UserServiceError) in try directory.addUser(eve, email: "ADA@example.org") }
        expect(.unknownUser) { () throws(UserServiceError) in _ = try directory.removeUser(eve) }
        #expect(try directory.removeUser(ada) == "ada@example.org")
        expect(.userRemoved) { () throws(UserServiceError) in _ = try directory.removeUser(ada) }
        try directory.addUser(eve, email: "ada@example.org")
    }

    @Test("An invitation is answered once")
    func invitations() throws {
        let other = try WorkflowID("inv-2")
        expect(.unknownUser) { () throws(UserServiceError) in try directory.invite("x@y.z", as: invitation, by: ada) }
        try directory.addUser(ada, email: "ada@example.org")
        expect(.emailTaken) { () throws(UserServiceError) in
            try directory.invite("ada@example.org", as: invitation, by: ada)
        }
        try directory.invite("x@y.z", as: invitation, by: ada)
        expect(.idTaken) { () throws(UserServiceError) in try directory.invite("z@y.z", as: invitation, by: ada) }
        expect(.alreadyInvited) { () throws(UserServiceError) in try directory.invite("X@y.z", as: other, by: ada) }
        expect(.unknownInvitation) { () throws(UserServiceError) in _ = try directory.acceptInvitation(other) }
        #expect(try directory.declineInvitation(invitation) == "x@y.z")
        expect(.invitationFinished) { () throws(UserServiceError) in _ = try directory.acceptInvitation(invitation) }
        try directory.invite("x@y.z", as: other, by: ada)
        _ = try directory.acceptInvitation(other)
        expect(.invitationFinished) { () throws(UserServiceError) in _ = try directory.declineInvitation(other) }
    }

    @Test("A command that fails leaves nothing")
    func rollBack() throws {
        try directory.addUser(ada, email: "ada@example.org")
        try directory.invite("x@y.z", as: invitation, by: ada)
        let work = UnitOfWork()
        try UnitOfWork.$current.withValue(work) {
            _ = try directory.declineInvitation(invitation)
            try directory.addUser(eve, email: "eve@example.org")
            _ = try directory.removeUser(ada)
        }
        work.rollBack()
        expect(.unknownUser) { () throws(UserServiceError) in _ = try directory.removeUser(eve) }
        expect(.emailTaken) { () throws(UserServiceError) in try directory.addUser(eve, email: "ada@example.org") }
        #expect(try directory.acceptInvitation(invitation) == "x@y.z")
        try directory.addUser(eve, email: "eve@example.org")
        // A second time undoes nothing.
        work.rollBack()
        #expect(try directory.removeUser(eve) == "eve@example.org")
    }
}
