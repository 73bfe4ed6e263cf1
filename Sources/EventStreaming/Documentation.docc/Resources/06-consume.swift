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

let id = try await streaming.commands.send(InviteUser(email: "ada@example.org"))
try await streaming.commands.send(AcceptInvitation(workflowID: id, name: "Ada"))

for try await delivery in try streaming.subscribe(to: "mail", as: "mailer-1") {
    if let invited = delivery.event(as: UserInvited.self) {
        guard delivery.attempt > 1 else {
            print("attempt 1: no connection, once more for \(invited.email)")
            try await delivery.reject(.retry(after: .milliseconds(50)), reason: "no connection")
            continue
        }
        print("attempt \(delivery.attempt): wrote to \(invited.email)")
        try await delivery.acknowledge()
        break
    }
    if let accepted = delivery.event(as: InvitationAccepted.self) {
        print("\(accepted.name) accepted invitation \(delivery.workflowID == id ? "of the same workflow" : "?")")
    }
}
