/// What an admin has read just now.
struct ReadEntry: ConsoleEntry {
    private let kind = "read"
    let admin: String
    let read: Int
    /// How many notifications are unread after that.
    let unread: Int

    var text: String {
        "  \(Subscriptions.adminNotifications)/\(admin): " + (read > 0 ? "has read \(read), " : "") + "\(unread) unread"
    }

    private enum CodingKeys: CodingKey {
        case kind, admin, read, unread
    }
}
