import EventStreaming

/// Gives somebody an account.
struct AddUser: WorkflowCommand, Decodable {
    typealias Response = WorkflowID

    /// The id of the new user, where the client chooses it; otherwise one is made up.
    var id: WorkflowID?
    var name: String
    var email: String
    /// Free text. No rule limits it here; the limit on the size of an event does.
    var about: String?

    var workflowID: WorkflowID? { id }
}

extension AddUser: Validatable {
    func validate(_ violations: inout Violations) {
        violations.reference(id, field: "id")
        violations.personName(name, field: "name")
        violations.email(email, field: "email")
    }
}

/// Adds users to the directory.
struct AddUserHandler: WorkflowCommandHandler {
    let directory: Directory

    func handle(
        _ command: AddUser,
        in workflow: inout WorkflowContext<UserWorkflow>
    ) async throws -> WorkflowID {
        try directory.addUser(workflow.id, email: command.email)
        workflow.emit(UserAdded(name: command.name, email: command.email, about: command.about))
        return workflow.id
    }
}
