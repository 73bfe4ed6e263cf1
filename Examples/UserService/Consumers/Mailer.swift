import EventStreaming

/// Sends a mail for every event of an invitation. Several mailers compete: each event goes to one of them.
///
/// A mail that fails is given back. It is delivered again after a delay, to whichever mailer is free, until it works or
/// the subscription's retry policy gives it up to the dead letters.
struct Mailer: ConsumerLoop {
    let name: String
    let streaming: EventStreaming
    let postOffice: PostOffice
    let journal: Journal

    func run() async throws {
        for try await delivery in try streaming.subscribe(to: Subscriptions.mail, as: name) {
            do {
                try await handle(delivery)
            } catch let error as EventStreamingError where error.code == .leaseExpired {
                // It took too long, so the event was taken back: it is delivered again, here or to the other mailer.
                continue
            }
        }
    }

    private func handle(_ delivery: Delivery) async throws {
        do {
            try await postOffice.send(to: Self.address(delivery.event))
        } catch {
            journal.failed(delivery, error)
            try await delivery.reject(reason: "\(error)")
            journal.settled()
            return
        }
        // The loop would acknowledge by itself when it asks for the next delivery. Done here, the journal can say that
        // this mail is finished before another one is there.
        try await delivery.acknowledge()
        journal.finished(delivery)
    }

    private static func address(_ event: any Event) -> String {
        switch event {
        case let event as UserInvited: event.email
        case let event as InvitationAccepted: event.email
        case let event as InvitationDeclined: event.email
        default: "postmaster@example.org"
        }
    }
}
