import EventStreaming

/// A member of the group that evaluates what happens to users.
///
/// The members share out the partitions of the stream, in this process and in others. The events of one user are handled one
/// after the other, in order, whoever has the user's partition.
struct Analyst: ConsumerLoop {
    let name: String
    let streaming: EventStreaming
    let journal: Journal

    func run() async throws {
        for try await delivery in try streaming.subscribe(to: Subscriptions.analytics, as: name) {
            journal.finished(delivery)
            // Acknowledged when the loop asks for the next delivery.
        }
    }

    /// The names of the members that a process has.
    static func names(_ count: Int) -> [String] {
        (0..<count).map { "analytics-\($0 + 1)" }
    }
}
