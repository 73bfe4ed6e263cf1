import EventStreaming
import Synchronization

/// The users and invitations there are: what the handlers of commands decide by.
///
/// A real service would keep this in its database. Every change registers how to undo it with the ``UnitOfWork`` of the
/// command, because events are committed after the handler has returned, and that may fail.
final class Directory: Sendable {
    private struct User {
        var email: String
        var isRemoved = false
    }

    private struct Invitation {
        var email: String
        var isOpen = true
    }

    private struct State {
        var users: [WorkflowID: User] = [:]
        var invitations: [WorkflowID: Invitation] = [:]
        /// The addresses of users who were not removed.
        var userEmails: Set<String> = []
        /// The addresses whose invitation is open or was accepted.
        var invitedEmails: Set<String> = []
    }

    private let state = Mutex(State())

    // MARK: - Users

    func addUser(_ id: WorkflowID, email: String) throws(UserServiceError) {
        let address = Self.normalized(email)
        try change { state throws(UserServiceError) in
            guard state.users[id] == nil else {
                throw UserServiceError(.idTaken, "There is a user '\(id)' already; choose another id.")
            }
            guard state.userEmails.insert(address).inserted else {
                throw UserServiceError(.emailTaken, "\(email) belongs to a user already; use another address.")
            }
            state.users[id] = User(email: address)
        } undo: { state in
            state.users[id] = nil
            state.userEmails.remove(address)
        }
    }

    /// Removes a user, whose address is free again. Returns the address.
    func removeUser(_ id: WorkflowID) throws(UserServiceError) -> String {
        try change { state throws(UserServiceError) in
            let user = try Self.activeUser(id, in: state)
            state.users[id]?.isRemoved = true
            state.userEmails.remove(user.email)
            return user.email
        } undo: { state in
            guard let user = state.users[id] else { return }
            state.users[id]?.isRemoved = false
            state.userEmails.insert(user.email)
        }
    }

    // MARK: - Invitations

    func invite(_ email: String, as id: WorkflowID, by inviter: WorkflowID) throws(UserServiceError) {
        let address = Self.normalized(email)
        try change { state throws(UserServiceError) in
            _ = try Self.activeUser(inviter, in: state)
            guard state.invitations[id] == nil else {
                throw UserServiceError(.idTaken, "There is an invitation '\(id)' already; choose another id.")
            }
            guard !state.userEmails.contains(address) else {
                throw UserServiceError(.emailTaken, "\(email) belongs to a user already; there is nobody to invite.")
            }
            guard state.invitedEmails.insert(address).inserted else {
                throw UserServiceError(.alreadyInvited, "\(email) is invited already; wait for the answer.")
            }
            state.invitations[id] = Invitation(email: address)
        } undo: { state in
            state.invitations[id] = nil
            state.invitedEmails.remove(address)
        }
    }

    /// Finishes an invitation with a yes. Returns the invited address, which cannot be invited again.
    func acceptInvitation(_ id: WorkflowID) throws(UserServiceError) -> String {
        try change { state throws(UserServiceError) in
            let invitation = try Self.openInvitation(id, in: state)
            state.invitations[id]?.isOpen = false
            return invitation.email
        } undo: { state in
            state.invitations[id]?.isOpen = true
        }
    }

    /// Finishes an invitation with a no. Returns the invited address, which may be invited again.
    func declineInvitation(_ id: WorkflowID) throws(UserServiceError) -> String {
        try change { state throws(UserServiceError) in
            let invitation = try Self.openInvitation(id, in: state)
            state.invitations[id]?.isOpen = false
            state.invitedEmails.remove(invitation.email)
            return invitation.email
        } undo: { state in
            guard let invitation = state.invitations[id] else { return }
            state.invitations[id]?.isOpen = true
            state.invitedEmails.insert(invitation.email)
        }
    }

    // MARK: - Helpers

    /// Changes the state and remembers how to undo that. `body` checks first and changes last: when it throws, it has
    /// changed nothing.
    private func change<Value: Sendable>(
        _ body: (inout State) throws(UserServiceError) -> Value,
        undo: @escaping @Sendable (inout State) -> Void
    ) throws(UserServiceError) -> Value {
        let value = try state.withLock { state throws(UserServiceError) in try body(&state) }
        UnitOfWork.current?.onRollback { self.state.withLock { undo(&$0) } }
        return value
    }

    private static func activeUser(_ id: WorkflowID, in state: State) throws(UserServiceError) -> User {
        guard let user = state.users[id] else {
            throw UserServiceError(.unknownUser, "There is no user '\(id)'; add one first.")
        }
        guard !user.isRemoved else {
            throw UserServiceError(.userRemoved, "The user '\(id)' was removed; use one that is active.")
        }
        return user
    }

    private static func openInvitation(_ id: WorkflowID, in state: State) throws(UserServiceError) -> Invitation {
        guard let invitation = state.invitations[id] else {
            throw UserServiceError(.unknownInvitation, "There is no invitation '\(id)'; check the reference.")
        }
        guard invitation.isOpen else {
            throw UserServiceError(.invitationFinished, "The invitation '\(id)' was answered already.")
        }
        return invitation
    }

    /// Addresses that differ only in case are the same.
    private static func normalized(_ email: String) -> String { email.lowercased() }
}
