import EventStreaming

/// The sums at the end.
///
/// - *emitted*: the events appended to the streams, by the streams' own heads.
/// - *delivered*: the pairs of an event and a subscription in which a consumer finished the event, by the ids of the
///   events that the consumers of this program saw. An event that was finished twice counts once.
/// - *dead-lettered*: the pairs in which the event was given up, by the ids in the dead-letter streams.
/// - *lost*: the pairs there should be, less both. For each subscription there should be as many as its stream has
///   events, or, if that is more, as many as commands were accepted that emit one.
///
/// The three come from sources that do not know of each other, so that a loss anywhere shows. Besides, it tells what the
/// members of the analytics group have done, what the admins have read, and whether every event of a user was charged exactly
/// once.
struct Summary: Equatable {
    /// What is known of one subscription.
    struct Source {
        let subscription: String
        let stream: String
        let tally: Tally
        let deadLetters: Set<MessageID>
        /// How many events it should have; where nothing is said, as many as its stream has.
        var expected: Int?
    }

    /// One line of the table.
    struct Row: Equatable, ConsoleEntry {
        var kind = "subscription"
        let subscription: String
        let stream: String
        let expected: Int
        let delivered: Int
        let repeated: Int
        let deadLettered: Int
        let lost: Int
    }

    let emitted: Int
    let rows: [Row]
    let members: [MemberEntry]
    let admins: [AdminEntry]
    /// How many events a member handled after a later one of the same user.
    let disordered: Int
    let charges: ChargeCheck

    var delivered: Int { rows.reduce(0) { $0 + $1.delivered } }
    var deadLettered: Int { rows.reduce(0) { $0 + $1.deadLettered } }
    var lost: Int { rows.reduce(0) { $0 + $1.lost } }
    /// Whether everything is as it was promised.
    var isRight: Bool { lost == 0 && disordered == 0 && charges.isExact }

    /// - Parameters:
    ///   - heads: How many events were appended, by stream.
    ///   - accepted: How many events accepted commands emitted, by stream.
    ///   - sources: The subscriptions.
    ///   - members: The members of the analytics group.
    ///   - admins: Those who get notifications.
    ///   - disordered: How many events a member handled after a later one of the same user.
    ///   - charges: What was charged.
    init(
        heads: [String: Int],
        accepted: [String: Int],
        sources: [Source],
        members: [MemberEntry],
        admins: [AdminEntry],
        disordered: Int,
        charges: ChargeCheck
    ) {
        self.members = members
        self.admins = admins
        self.disordered = disordered
        self.charges = charges
        emitted = heads.values.reduce(0, +)
        rows = sources.map { source in
            let expected = source.expected ?? max(heads[source.stream] ?? 0, accepted[source.stream] ?? 0)
            let deadLettered = source.deadLetters.subtracting(source.tally.finished).count
            let delivered = source.tally.finished.count
            return Row(
                subscription: source.subscription,
                stream: source.stream,
                expected: expected,
                delivered: delivered,
                repeated: source.tally.repeated,
                deadLettered: deadLettered,
                lost: max(0, expected - delivered - deadLettered)
            )
        }
    }
}
