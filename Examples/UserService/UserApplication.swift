import EventStreaming
import ServiceLifecycle
import Synchronization

/// The program as a service: consumers, the commands, and the sums at the end.
///
/// In its `ServiceGroup` it comes after the ``EventStreaming`` it uses. A group shuts its services down in reverse, so on
/// SIGTERM this one is asked first, while everything still works: it reads no more commands, lets the consumers finish
/// what was emitted, and only then returns.
final class UserApplication: Service {
    private let input: InputSource
    private let options: CommandLineOptions
    private let streaming: EventStreaming
    private let journal: Journal
    private let result = Mutex<Summary?>(nil)

    /// The sums, once ``run()`` has returned.
    var summary: Summary? { result.withLock { $0 } }

    init(input: InputSource, options: CommandLineOptions, streaming: EventStreaming, journal: Journal) {
        self.input = input
        self.options = options
        self.streaming = streaming
        self.journal = journal
    }

    func run() async throws {
        try await streaming.withSubscription(to: Subscriptions.invitationAnalytics, as: "analytics") { deliveries in
            try await withThrowingTaskGroup(of: Role.self) { group in
                let analytics = InvitationAnalytics(deliveries: deliveries, journal: journal)
                group.addTask {
                    try await Self.untilCancelled { try await analytics.run() }
                    return .consumer
                }
                for name in ["mailer-1", "mailer-2"] {
                    let mailer = Mailer(
                        name: name,
                        streaming: streaming,
                        postOffice: PostOffice(),
                        journal: journal
                    )
                    group.addTask {
                        try await Self.untilCancelled { try await mailer.run() }
                        return .consumer
                    }
                }
                group.addTask {
                    try await self.work()
                    return .work
                }
                // A consumer that fails ends everything at once: its error leaves the group, which cancels the others.
                for try await role in group where role == .work {
                    group.cancelAll()
                }
            }
        }
    }

    /// What a child task does.
    private enum Role {
        case consumer
        case work
    }

    /// Reads all commands, waits for the consumers, replays, and sums up.
    private func work() async throws {
        let intake = CommandIntake(
            input: input,
            maximumLineBytes: options.maximumLineBytes,
            streaming: streaming,
            journal: journal
        )
        // Cancelled, or asked to shut down: both end the input, even while it waits for a line.
        var failure: (any Error)?
        do {
            try await withTaskCancellationOrGracefulShutdownHandler {
                try await intake.run()
            } onCancelOrGracefulShutdown: {
                self.input.stop()
            }
        } catch {
            failure = error
        }
        _ = try await within(options.timeout) { try await self.waitForConsumers() }
        _ = try await within(options.timeout) {
            try await Auditor(streaming: self.streaming, journal: self.journal).run()
        }
        let summary = try await Summary(of: streaming, ledger: journal.ledger)
        result.withLock { $0 = summary }
        if let failure { throw failure }
    }

    // MARK: - Waiting

    /// Returns when every event is finished or given up by every subscription that runs all the time.
    private func waitForConsumers() async throws {
        for await _ in journal.ledger.changes() {
            guard try await hasOutstandingEvents() else { return }
        }
    }

    private func hasOutstandingEvents() async throws -> Bool {
        for (subscription, stream) in Summary.subscriptions where subscription != Subscriptions.audit {
            let head = try await streaming.metadata(of: stream).head
            let beginning = journal.ledger.beginning(of: stream)
            let deadLetters = try await Summary.deadLetters(of: subscription, from: beginning, in: streaming).count
            let done = journal.ledger.tally(of: subscription).finished.count + deadLetters
            if done < beginning.distance(to: head) { return true }
        }
        return false
    }

    /// Does `body`, but gives up when nothing has happened for `timeout`. Returns whether `body` was done.
    private func within(
        _ timeout: Duration,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws -> Bool {
        let ledger = journal.ledger
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await Self.untilCancelled(body)
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

    /// Does `body`; that it ends because its task is cancelled is no error here.
    private static func untilCancelled(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as EventStreamingError where error.code == .cancelled {
            return
        }
    }
}
