import EventStreaming

/// Closes an account. Continues the workflow of the user.
struct RemoveUser: WorkflowCommand, Decodable {
    typealias Response = WorkflowID

    var user: WorkflowID
    var reason: String?

    var workflowID: WorkflowID? { user }
}

extension RemoveUser: Validatable {
    func validate(_ violations: inout Violations) {
        violations.reference(user, field: "user")
        violations.length(reason ?? "", in: 0...500, field: "reason")
    }
}

/// Removes users from the directory.
struct RemoveUserHandler: WorkflowCommandHandler {
    let directory: Directory

    func handle(
        _ command: RemoveUser,
        in workflow: inout WorkflowContext<UserWorkflow>
    ) async throws -> WorkflowID {
        let email = try directory.removeUser(workflow.id)
        workflow.emit(UserRemoved(email: email, reason: command.reason))
        return workflow.id
    }
}
