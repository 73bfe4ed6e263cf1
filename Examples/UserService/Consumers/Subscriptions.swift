import EventStreaming

/// The names of the subscriptions.
enum Subscriptions {
    static let userAnalytics = "user-analytics"
    static let invitationAnalytics = "invitation-analytics"
    static let mail = "invitation-mail"
    static let audit = "user-audit"
}
