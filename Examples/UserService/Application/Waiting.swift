import EventStreaming

/// Waits for consumers, here and in other processes.
struct Waiting: Sendable {
    let options: CommandLineOptions
    let streaming: EventStreaming
    let ledger: Ledger

    /// How often to look. What other processes do nobody tells us.
    private static let interval = Duration.milliseconds(20)

    /// Returns when the members of the analytics group that are in this process have their share, and the admins are there.
    func untilConsumersHaveJoined(admins: [String]) async throws {
        _ = try await within(options.timeout) {
            try await repeatedly {
                guard try await isConnected(admins, to: Subscriptions.adminNotifications) else { return false }
                return try await isConnected(Analyst.names(options.members), to: Subscriptions.analytics)
            }
        }
    }

    private func isConnected(_ names: [String], to subscription: String) async throws -> Bool {
        let consumers = try await streaming.consumers(of: subscription)
        return Set(names).isSubset(of: consumers.filter(\.isConnected).map(\.id.rawValue))
    }

    /// Returns when every notification was read or given up, where the time for that is short enough to be waited for.
    func untilNothingIsUnread(by admins: [String]) async throws {
        guard options.unreadTimeout < options.timeout else { return }
        _ = try await within(options.timeout) {
            try await repeatedly {
                for admin in admins {
                    let count = try await streaming.unreadCount(of: Subscriptions.adminNotifications, for: admin)
                    guard count == 0 else { return false }
                }
                return true
            }
        }
    }

    /// Returns when every event is finished or given up by every subscription that runs all the time, and the admins have
    /// seen what is for them, or when nothing has happened for too long.
    func untilEverythingIsFinished(admins: [String]) async throws {
        _ = try await within(options.timeout) {
            var last: [SubscriptionProgress] = []
            try await repeatedly {
                let progress = try await progress()
                if progress != last {
                    ledger.touch()
                    last = progress
                }
                guard progress.allSatisfy(\.isFinished) else { return false }
                guard try await !hasOutstandingEvents() else { return false }
                return try await !hasUnseenNotifications(of: admins)
            }
        }
    }

    /// How far those are whose position tells all there is to know, whoever works for them.
    private func progress() async throws -> [SubscriptionProgress] {
        var all: [SubscriptionProgress] = []
        for subscription in [Subscriptions.analytics, Subscriptions.billing, Subscriptions.adminNotifications] {
            all += try await streaming.progress(of: subscription)
        }
        return all
    }

    /// Looks until `condition` holds.
    private func repeatedly(_ condition: () async throws -> Bool) async throws {
        while try await !condition() {
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Whether an admin has not seen all notifications.
    private func hasUnseenNotifications(of admins: [String]) async throws -> Bool {
        let stream = UserWorkflow.streamName
        var (next, count) = (ledger.beginning(of: stream), 0)
        while true {
            let page = try await streaming.read(stream, from: next, limit: 1000)
            guard let last = page.last else { break }
            count += page.count { $0.type.name == UserRemoved.eventType }
            next = last.offset.advanced(by: 1)
        }
        return admins.contains { ledger.tally(of: Subscriptions.notifications(to: $0)).finished.count < count }
    }

    /// Whether consumers of this process have not seen all events.
    private func hasOutstandingEvents() async throws -> Bool {
        for (subscription, stream) in Subscriptions.streams
        where [Subscriptions.invitationAnalytics, Subscriptions.mail].contains(subscription) {
            let head = try await streaming.metadata(of: stream).head
            let beginning = ledger.beginning(of: stream)
            let deadLetters = try await streaming.givenUp(by: subscription, from: beginning).count
            let done = ledger.tally(of: subscription).finished.count + deadLetters
            if done < beginning.distance(to: head) { return true }
        }
        return false
    }

    /// Does `body`, but gives up when nothing has happened for `timeout`. Returns whether `body` was done.
    func within(
        _ timeout: Duration,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                var count = -1
                while ledger.count != count {
                    count = ledger.count
                    try await Task.sleep(for: timeout)
                }
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }
}
