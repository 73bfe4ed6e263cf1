import EventStreaming

/// What became of the notifications of an admin, by their receipts.
struct AdminEntry: Equatable, ConsoleEntry {
    var kind = "admin"
    let admin: String
    /// How often a notification was delivered once more, as a reminder.
    let reminders: Int
    var read = 0
    var unread = 0
    /// How many were given up, unread.
    var expired = 0

    init(admin: String, reminders: Int, _ statuses: [ReadReceipt.Status]) {
        self.admin = admin
        self.reminders = reminders
        for status in statuses {
            switch status {
            case .read: read += 1
            case .delivered, .requeued: unread += 1
            case .expired: expired += 1
            }
        }
    }

    var text: String { "  \(admin): \(read) read, \(unread) unread, \(expired) given up; \(reminders) reminders" }
}
