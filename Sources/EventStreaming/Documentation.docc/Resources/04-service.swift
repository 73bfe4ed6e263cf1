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

struct AcceptInvitation: WorkflowCommand {
    var workflowID: WorkflowID?
    var name: String
}

struct AcceptInvitationHandler: WorkflowCommandHandler {
    func handle(
        _ command: AcceptInvitation,
        in workflow: inout WorkflowContext<InvitationWorkflow>
    ) async throws {
        workflow.emit(InvitationAccepted(name: command.name))
    }
}

let streaming = try EventStreaming(storage: .inMemory) { streaming in
    streaming.addStream(InvitationWorkflow.self) { stream in
        stream.type = .persistent
    }
    streaming.addSubscription("mail") { subscription in
        subscription.stream(InvitationWorkflow.self)
        subscription.mode = .exclusive
    }
    streaming.commands.add(InviteUserHandler())
    streaming.commands.add(AcceptInvitationHandler())
}
