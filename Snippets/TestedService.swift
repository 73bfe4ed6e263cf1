// Testing: a handler by itself, and a service with a clock that the test moves.
import EventStreaming
import EventStreamingTesting

struct InvitationWorkflow: Workflow {}

struct UserReminded: Event, Equatable {
    typealias Process = InvitationWorkflow
    var day: Int
}

struct RemindUser: WorkflowCommand {
    var workflowID: WorkflowID?
    var day: Int
}

struct RemindUserHandler: WorkflowCommandHandler {
    func handle(
        _ command: RemindUser,
        in workflow: inout WorkflowContext<InvitationWorkflow>
    ) async throws {
        workflow.emit(UserReminded(day: command.day))
    }
}

struct MailServerDown: Error {}

let invitation = try WorkflowID("invitation-1")
try await WorkflowTest(RemindUserHandler())
    .given(workflow: invitation)
    .when(RemindUser(workflowID: invitation, day: 7))
    .thenEmits(UserReminded(day: 7))

let recorder = DeliveryRecorder { delivery in
    if delivery.attempt == 1 { throw MailServerDown() }
}
try await withTestEventStreaming { [recorder] streaming in
    streaming.addStream(InvitationWorkflow.self)
    streaming.addSubscription("reminder-mail") { subscription in
        subscription.stream(InvitationWorkflow.self)
        subscription.mode = .exclusive
        subscription.retry.initialDelay = .seconds(3600)
        subscription.handle(recorder.record)
    }
} _: { [recorder] streaming, clock in
    try await streaming.emitter.emit(UserReminded(day: 7))
    try await streaming.settled(advancing: clock)  // An hour passes, and takes no time.
    print(recorder.deliveries.map(\.attempt))
}
