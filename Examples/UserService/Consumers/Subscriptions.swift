import EventStreaming

/// The names of the subscriptions.
enum Subscriptions {
    static let analytics = "analytics"
    static let billing = "seat-billing"
    static let invitationAnalytics = "invitation-analytics"
    static let mail = "invitation-mail"
    static let adminNotifications = "admin-notifications"
    /// For other processes, see `Examples/Analytics`.
    static let userAnalytics = "user-analytics"
    static let audit = "user-audit"

    /// Every subscription of this service, with the stream it follows.
    static let streams: [(subscription: String, stream: String)] = [
        (analytics, UserWorkflow.streamName),
        (billing, UserWorkflow.streamName),
        (invitationAnalytics, InvitationWorkflow.streamName),
        (mail, InvitationWorkflow.streamName),
        (adminNotifications, UserWorkflow.streamName),
        (audit, UserWorkflow.streamName),
    ]

    /// The stream that a subscription follows.
    static func stream(of subscription: String) -> String? {
        streams.first { $0.subscription == subscription }?.stream
    }

    /// Under which name it is counted what an admin got: each gets all notifications.
    static func notifications(to admin: String) -> String { "\(adminNotifications)/\(admin)" }
}
