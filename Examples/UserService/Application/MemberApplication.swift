import EventStreaming
import ServiceLifecycle

/// The program as one member of the analytics group, which helps others that share the database.
///
/// The engine bills seats in this process, too, since that is a handler. Asked to end, the member gives back what it holds,
/// so that the others go on at once.
final class MemberApplication: Application {
    private let analyst: Analyst
    private let input: InputSource?

    /// - Parameters:
    ///   - analyst: The member.
    ///   - input: Ends the program when it ends itself. What it has to say is of no interest.
    init(_ analyst: Analyst, input: InputSource?) {
        self.analyst = analyst
        self.input = input
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.analyst.runUntilCancelled() }
            group.addTask { try await self.showOwners() }
            group.addTask { try await self.waitForEnd() }
            // Whichever ends or fails first ends the others.
            try await group.next()
            group.cancelAll()
        }
    }

    func report(to console: Console) -> Bool? {
        let tally = analyst.journal.ledger.tally(of: Subscriptions.analytics)
        console.write(MemberEntry(member: analyst.name, partitions: [], events: tally.finished.count))
        return tally.disordered == 0
    }

    /// Tells whenever partitions have changed hands.
    private func showOwners() async throws {
        var last: OwnersEntry?
        while !Task.isCancelled {
            let owners = OwnersEntry(try await analyst.streaming.partitions(of: Subscriptions.analytics))
            if owners != last {
                analyst.journal.console.write(owners)
                last = owners
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func waitForEnd() async throws {
        guard let input else { return try await gracefulShutdown() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            while try await input.next() != nil {}
        } onCancelOrGracefulShutdown: {
            input.stop()
        }
    }
}
