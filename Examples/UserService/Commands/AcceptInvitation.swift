import EventStreaming

/// Says yes to an invitation. Continues its workflow.
struct AcceptInvitation: WorkflowCommand, Decodable {
    typealias Response = WorkflowID

    var invitation: WorkflowID
    /// How the invited person wants to be called.
    var name: String

    var workflowID: WorkflowID? { invitation }
}

extension AcceptInvitation: Validatable {
    func validate(_ violations: inout Violations) {
        violations.reference(invitation, field: "invitation")
        violations.personName(name, field: "name")
    }
}

/// Finishes invitations with a yes.
struct AcceptInvitationHandler: WorkflowCommandHandler {
    let directory: Directory

    func handle(
        _ command: AcceptInvitation,
        in workflow: inout WorkflowContext<InvitationWorkflow>
    ) async throws -> WorkflowID {
        let email = try directory.acceptInvitation(workflow.id)
        workflow.emit(InvitationAccepted(email: email, name: command.name))
        return workflow.id
    }
}
