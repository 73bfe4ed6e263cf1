import EventStreaming

/// One invitation, from the mail that is sent to the answer. Its events are kept in `invitation-events`, an ephemeral
/// stream: a queue of work that is gone when everybody who waits for it is done.
///
/// The id of the workflow is the reference that the inviting client chose, or one that was made up.
struct InvitationWorkflow: Workflow {}

/// Somebody is to be invited. Starts the workflow.
struct UserInvited: Event {
    typealias Process = InvitationWorkflow

    var email: String
    var invitedBy: WorkflowID
    /// What each seat of the invitation is worth at the start.
    var creditPerSeat: Double?
}

/// The invited person said yes. Ends the workflow.
struct InvitationAccepted: Event {
    typealias Process = InvitationWorkflow

    var email: String
    var name: String
}

/// The invited person said no. Ends the workflow.
struct InvitationDeclined: Event {
    typealias Process = InvitationWorkflow

    var email: String
    var reason: String?
}
