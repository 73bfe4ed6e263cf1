import EventStreaming

/// Somebody who is told when a user leaves, and says what was read.
///
/// A notification is *delivered* when the loop asks for the next, and *read* when the admin says so. One that is unread for
/// too long is delivered again, as a reminder, and then given up to the dead letters.
struct Admin: ConsumerLoop {
    /// How an admin deals with notifications.
    enum Habit {
        /// Reads each one at once.
        case prompt
        /// Reads everything when reminded, and in the evening.
        case late
        /// Never reads anything.
        case never
    }

    let name: String
    let habit: Habit
    let streaming: EventStreaming
    let journal: Journal

    /// The admins of this service.
    static func all(_ streaming: EventStreaming, _ journal: Journal) -> [Admin] {
        [("admin-1", .prompt), ("admin-2", .late), ("admin-3", .never)].map { name, habit in
            Admin(name: name, habit: habit, streaming: streaming, journal: journal)
        }
    }

    func run() async throws {
        var seen: Set<MessageID> = []
        for try await notification in try streaming.subscribe(to: Subscriptions.adminNotifications, as: name) {
            journal.notified(notification)
            let isReminder = !seen.insert(notification.record.id).inserted
            switch habit {
            case .prompt: try await read(notification)
            case .late where isReminder: try await readAll()
            case .late, .never: continue
            }
        }
    }

    /// Reads everything at the end of the day, where that is the habit.
    func closeDay() async throws {
        if case .late = habit {
            try await readAll()
        } else {
            try await tell(read: 0)
        }
    }

    private func read(_ notification: Delivery) async throws {
        do throws(EventStreamingError) {
            try await notification.markAsRead()
        } catch {
            // It was taken back meanwhile, and is delivered again.
            guard error.code == .leaseExpired else { throw error }
            return
        }
        try await tell(read: 1)
    }

    private func readAll() async throws {
        try await tell(read: streaming.markAllAsRead(of: Subscriptions.adminNotifications, by: name))
    }

    private func tell(read count: Int) async throws {
        let unread = try await streaming.unreadCount(of: Subscriptions.adminNotifications, for: name)
        journal.console.write(ReadEntry(admin: name, read: count, unread: unread))
    }
}
