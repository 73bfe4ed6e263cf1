import EventStreaming
import EventStreamingGRPC

struct InvitationWorkflow: Workflow {}
struct UserInvited: Event {
    typealias Process = InvitationWorkflow
    var email: String
}
struct InviteUser: Command, Codable { var email: String }

// The service; here it is in the same process.
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
let server = GRPCEventDeliveryProvider(streaming, messages: RemoteMessages { $0.offer(InviteUser.self) }) { server in
    server.port = 0  // any that is free
}
try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await server.run() }

    // snippet.client
    let client = try GRPCEventClient(GRPCClientOptions(host: "localhost", port: await server.port ?? 0)) { client in
        client.addEvent(UserInvited.self)
        client.addCommand(InviteUser.self)
    }
    try await withGRPCEventClient(client) { client in
        try await client.commands.send(InviteUser(email: "ada@example.org"))
        for try await delivery in try client.subscribe(to: "welcome-mail", as: "mailer-1") {
            print("\(delivery.subscription) got \(delivery.event)")
            try await delivery.acknowledge()
            break
        }
    }
    // snippet.end
    server.beginShutdown()
}
