import EventStreaming

struct InvitationWorkflow: Workflow {}

struct UserInvited: Event {
    typealias Process = InvitationWorkflow
    var email: String
}
