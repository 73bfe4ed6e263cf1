import EventStreaming

/// The life of a user's account, as the user service tells of it. A process of its own need not share code with the service:
/// it states the names, and of the events what it needs.
struct UserWorkflow: Workflow {}

/// Somebody got an account.
struct UserAdded: Event {
    typealias Process = UserWorkflow

    var email: String
}

/// The account was closed.
struct UserRemoved: Event {
    typealias Process = UserWorkflow

    var email: String
}
