import EventStreaming

/// Counts what becomes of invitations.
///
/// Its subscription is broadcast, and follows an ephemeral stream: such a stream keeps an event only for those who are
/// registered when it is emitted. So the program registers this consumer first, with
/// ``EventStreaming/withSubscription(to:as:from:_:)``, and reads commands then.
struct InvitationAnalytics: ConsumerLoop {
    let deliveries: Subscription
    let journal: Journal

    func run() async throws {
        for try await delivery in deliveries {
            journal.finished(delivery)
            // Acknowledged when the loop asks for the next delivery.
        }
    }
}
