import EventStreaming

/// The names of the subscriptions.
enum Subscriptions {
    static let analytics = "analytics"
    static let billing = "seat-billing"
    static let invitationAnalytics = "invitation-analytics"
    static let mail = "invitation-mail"
    static let audit = "user-audit"
}
