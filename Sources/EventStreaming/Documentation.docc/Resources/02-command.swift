import EventStreaming

struct InvitationWorkflow: Workflow {}

struct UserInvited: Event {
    typealias Process = InvitationWorkflow
    var email: String
}

struct InvitationAccepted: Event {
    typealias Process = InvitationWorkflow
    var name: String
}

struct InviteUser: Command {
    typealias Response = WorkflowID
    var email: String
}

struct InviteUserHandler: WorkflowCommandHandler {
    func handle(
        _ command: InviteUser,
        in workflow: inout WorkflowContext<InvitationWorkflow>
    ) async throws -> WorkflowID {
        workflow.emit(UserInvited(email: command.email))
        return workflow.id
    }
}
