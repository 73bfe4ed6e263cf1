import EventStreaming
import ServiceLifecycle
import Synchronization

/// The program as a service: consumers, the commands, and the sums at the end.
///
/// In its `ServiceGroup` it comes after the ``EventStreaming`` it uses. A group shuts its services down in reverse, so on
/// SIGTERM this one is asked first, while everything still works: it reads no more commands, lets the consumers finish
/// what was emitted, and only then returns.
final class UserApplication: Application {
    private let input: InputSource
    private let options: CommandLineOptions
    private let streaming: EventStreaming
    private let book: ChargeBook
    private let journal: Journal
    private let admins: [Admin]
    private let result = Mutex<Summary?>(nil)

    init(
        input: InputSource,
        options: CommandLineOptions,
        streaming: EventStreaming,
        book: ChargeBook,
        journal: Journal
    ) {
        self.input = input
        self.options = options
        self.streaming = streaming
        self.book = book
        self.journal = journal
        admins = Admin.all(streaming, journal)
    }

    func run() async throws {
        try await streaming.withSubscription(to: Subscriptions.invitationAnalytics, as: "analytics") { deliveries in
            try await withThrowingTaskGroup(of: Role.self) { group in
                for consumer in consumers(deliveries) {
                    group.addTask {
                        try await consumer.runUntilCancelled()
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

    private func consumers(_ invitations: Subscription) -> [any ConsumerLoop] {
        var consumers: [any ConsumerLoop] = [InvitationAnalytics(deliveries: invitations, journal: journal)]
        for name in Analyst.names(options.members) {
            consumers.append(Analyst(name: name, streaming: streaming, journal: journal))
        }
        for name in ["mailer-1", "mailer-2"] {
            consumers.append(
                Mailer(name: name, streaming: streaming, postOffice: PostOffice(), journal: journal))
        }
        return consumers + admins
    }

    func report(to console: Console) -> Bool? {
        let summary = result.withLock { $0 }
        summary?.write(to: console)
        return summary?.isRight
    }

    /// Reads all commands, waits for the consumers, replays, ends the admins' day, and sums up.
    private func work() async throws {
        let waiting = Waiting(options: options, streaming: streaming, ledger: journal.ledger)
        try await waiting.untilConsumersHaveJoined(admins: admins.map(\.name))
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
        if failure == nil, options.grpcPort != nil {
            // Others are served until somebody ends this.
            try await gracefulShutdown()
        }
        try await waiting.untilEverythingIsFinished(admins: admins.map(\.name))
        let auditor = Auditor(streaming: streaming, journal: journal)
        _ = try await waiting.within(options.timeout) { try await auditor.run() }
        for admin in admins {
            try await admin.closeDay()
        }
        try await waiting.untilNothingIsUnread(by: admins.map(\.name))
        let survey = Survey(
            streaming: streaming,
            ledger: journal.ledger,
            book: book,
            admins: admins.map(\.name),
            seesAnalytics: options.members > 0
        )
        let summary = try await survey.summary()
        result.withLock { $0 = summary }
        if let failure { throw failure }
    }
}
