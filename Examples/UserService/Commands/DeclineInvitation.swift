import EventStreaming

/// Says no to an invitation. Continues its workflow.
struct DeclineInvitation: WorkflowCommand, Decodable {
    typealias Response = WorkflowID

    var invitation: WorkflowID
    var reason: String?

    var workflowID: WorkflowID? { invitation }
}

extension DeclineInvitation: Validatable {
    func validate(_ violations: inout Violations) {
        violations.reference(invitation, field: "invitation")
        violations.length(reason ?? "", in: 0...500, field: "reason")
    }
}

/// Finishes invitations with a no.
struct DeclineInvitationHandler: WorkflowCommandHandler {
    let directory: Directory

    func handle(
        _ command: DeclineInvitation,
        in workflow: inout WorkflowContext<InvitationWorkflow>
    ) async throws -> WorkflowID {
        let email = try directory.declineInvitation(workflow.id)
        workflow.emit(InvitationDeclined(email: email, reason: command.reason))
        return workflow.id
    }
}
