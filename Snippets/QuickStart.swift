import EventStreaming

struct InvitationWorkflow: Workflow {}
struct UserInvited: Event {
    typealias Process = InvitationWorkflow
    var email: String
}
struct InviteUser: Command { var email: String }

let streaming = try EventStreaming { streaming in
    streaming.addStream(InvitationWorkflow.self)
    streaming.addSubscription("welcome-mail") { subscription in
        subscription.stream(InvitationWorkflow.self)
        subscription.mode = .exclusive
    }
    streaming.commands.on(InviteUser.self, in: InvitationWorkflow.self) { command, workflow in
        workflow.emit(UserInvited(email: command.email))
    }
}
try await streaming.commands.send(InviteUser(email: "ada@example.org"))
for try await delivery in try streaming.subscribe(to: "welcome-mail", as: "mailer-1") {
    print("\(delivery.subscription) got \(delivery.event)")
    try await delivery.acknowledge()  // Done with it: without this, leaving the loop would give it back.
    break
}
