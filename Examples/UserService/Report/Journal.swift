import EventStreaming

/// Where everything that happens is told: to people or programs, by the ``Console``, and to the ``Ledger``.
struct Journal: Sendable {
    let console: Console
    let ledger: Ledger

    func accepted(_ record: CommandRecord, workflow: WorkflowID, line: Int) {
        console.write(CommandEntry(accepted: record.name, workflow: workflow, line: line))
        ledger.accepted(stream: record.stream)
    }

    func rejected(_ command: String?, _ error: any Error, line: Int) {
        console.write(CommandEntry(rejected: command, Failure(error), line: line))
    }

    /// A consumer is done with a delivery.
    func finished(_ delivery: Delivery) {
        console.write(DeliveryEntry(delivery))
        guard let stream = Subscriptions.stream(of: delivery.subscription.rawValue) else { return }
        ledger.finished(Sighting(delivery, in: stream))
    }

    /// An admin got a notification. Each admin gets all of them, so each has a tally.
    func notified(_ delivery: Delivery) {
        console.write(DeliveryEntry(delivery))
        ledger.finished(
            Sighting(
                delivery, in: UserWorkflow.streamName, as: Subscriptions.notifications(to: delivery.consumerID.rawValue)
            )
        )
    }

    /// A consumer failed with a delivery, and will give it back.
    func failed(_ delivery: Delivery, _ error: any Error) {
        console.write(DeliveryEntry(delivery, failure: Failure(error)))
    }

    /// What was given back is recorded: it waits to be delivered again, or is a dead letter now.
    func settled() {
        ledger.touch()
    }
}
