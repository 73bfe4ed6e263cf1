import EventStreaming

/// Invites somebody by mail.
struct InviteUser: WorkflowCommand, Decodable {
    typealias Response = WorkflowID

    /// The client's own reference, such as `inv-17`, to answer the invitation with; otherwise one is made up.
    var id: WorkflowID?
    var email: String
    var invitedBy: WorkflowID
    /// What the invited people may spend together at the start.
    var credit: Double?
    /// How many people share the credit; 1 if nothing is said.
    ///
    /// A `Double`, since a decoder takes a fraction where it expects an `Int` for broken JSON; the rule below says it better.
    var seats: Double?

    var workflowID: WorkflowID? { id }
}

extension InviteUser: Validatable {
    /// Leaves out that there must be seats, on purpose: see ``InviteUserHandler``.
    func validate(_ violations: inout Violations) {
        violations.reference(id, field: "id")
        violations.email(email, field: "email")
        violations.reference(invitedBy, field: "invitedBy")
        violations.range(credit ?? 0, in: 0...1_000_000, field: "credit")
        let seats = seats ?? 1
        violations.check(
            seats == seats.rounded(),
            field: "seats",
            rule: "wholeNumber",
            message: "must be a whole number"
        )
    }
}

/// Opens invitations.
///
/// A credit that no seats share is infinite for each of them. JSON has no infinity, so such an event cannot be encoded:
/// the command fails with code `eventStreaming.encodingFailed`, nothing is emitted, and the ``UnitOfWork`` closes the
/// invitation again. That is the last line of defence, shown here at work; a rule in `validate` would say it sooner.
struct InviteUserHandler: WorkflowCommandHandler {
    let directory: Directory

    func handle(
        _ command: InviteUser,
        in workflow: inout WorkflowContext<InvitationWorkflow>
    ) async throws -> WorkflowID {
        try directory.invite(command.email, as: workflow.id, by: command.invitedBy)
        workflow.emit(
            UserInvited(
                email: command.email,
                invitedBy: command.invitedBy,
                creditPerSeat: command.credit.map { $0 / (command.seats ?? 1) }
            )
        )
        return workflow.id
    }
}
