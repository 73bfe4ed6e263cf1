import EventStreaming

/// Waits for consumers, here and in other processes.
struct Waiting: Sendable {
    let options: CommandLineOptions
    let streaming: EventStreaming
    let ledger: Ledger

    /// How often to look. What other processes do nobody tells us.
    private static let interval = Duration.milliseconds(20)

    /// Returns when the members of the analytics group that are in this process have their share.
    func untilMembersHaveJoined() async throws {
        let names = Set(Analyst.names(options.members))
        _ = try await within(options.timeout) {
            while try await !names.isSubset(of: connectedMembers()) {
                try await Task.sleep(for: Self.interval)
            }
        }
    }

    private func connectedMembers() async throws -> Set<String> {
        let consumers = try await streaming.consumers(of: Subscriptions.analytics)
        return Set(consumers.filter(\.isConnected).map(\.id.rawValue))
    }

    /// Returns when every event is finished or given up by every subscription that runs all the time, or when nothing has
    /// happened for too long.
    func untilEverythingIsFinished() async throws {
        _ = try await within(options.timeout) {
            var last: [SubscriptionProgress] = []
            while true {
                let shared = try await sharedProgress()
                if shared != last {
                    ledger.touch()
                    last = shared
                }
                if shared.allSatisfy(\.isFinished), try await !hasOutstandingEvents() { return }
                try await Task.sleep(for: Self.interval)
            }
        }
    }

    /// How far they are that other processes may help with.
    private func sharedProgress() async throws -> [SubscriptionProgress] {
        try await streaming.progress(of: Subscriptions.analytics)
            + streaming.progress(of: Subscriptions.billing)
    }

    /// Whether consumers of this process have not seen all events.
    private func hasOutstandingEvents() async throws -> Bool {
        for (subscription, stream) in Summary.subscriptions
        where [Subscriptions.invitationAnalytics, Subscriptions.mail].contains(subscription) {
            let head = try await streaming.metadata(of: stream).head
            let beginning = ledger.beginning(of: stream)
            let deadLetters = try await Summary.deadLetters(of: subscription, from: beginning, in: streaming).count
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
