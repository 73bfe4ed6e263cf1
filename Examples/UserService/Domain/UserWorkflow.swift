import EventStreaming

/// The life of a user's account. Its events are kept in `user-events`, a persistent stream: a log that an auditor may
/// replay from the beginning, years later.
///
/// The id of the workflow is the id of the user.
struct UserWorkflow: Workflow {}

/// Somebody got an account. Starts the workflow.
struct UserAdded: Event {
    typealias Process = UserWorkflow

    var name: String
    var email: String
    var about: String?
}

/// The account was closed. Ends the workflow.
struct UserRemoved: Event {
    typealias Process = UserWorkflow

    var email: String
    var reason: String?
}
