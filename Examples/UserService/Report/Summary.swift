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
/// The three come from sources that do not know of each other, so that a loss anywhere shows.
struct Summary: Equatable {
    /// What is known of one subscription.
    struct Source {
        let subscription: String
        let stream: String
        let tally: Ledger.Tally
        let deadLetters: Set<MessageID>
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

    var delivered: Int { rows.reduce(0) { $0 + $1.delivered } }
    var deadLettered: Int { rows.reduce(0) { $0 + $1.deadLettered } }
    var lost: Int { rows.reduce(0) { $0 + $1.lost } }

    /// - Parameters:
    ///   - heads: How many events were appended, by stream.
    ///   - accepted: How many events accepted commands emitted, by stream.
    ///   - sources: The subscriptions.
    init(heads: [String: Int], accepted: [String: Int], sources: [Source]) {
        emitted = heads.values.reduce(0, +)
        rows = sources.map { source in
            let expected = max(heads[source.stream] ?? 0, accepted[source.stream] ?? 0)
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

    func write(to console: Console) {
        console.write(heading: "\n" + Self.heading)
        for row in rows {
            console.write(row)
        }
        console.write(
            Totals(emitted: emitted, delivered: delivered, deadLettered: deadLettered, lost: lost)
        )
    }
}

extension Summary.Row {
    var text: String {
        [
            subscription.padded(to: 22), stream.padded(to: 18), String(expected).padded(to: 9),
            String(delivered).padded(to: 10), String(repeated).padded(to: 9), String(deadLettered).padded(to: 14),
            String(lost),
        ].joined()
    }
}

extension Summary {
    private static let heading =
        "subscription".padded(to: 22) + "stream".padded(to: 18) + "expected".padded(to: 9)
        + "delivered".padded(to: 10) + "repeated".padded(to: 9) + "dead-lettered".padded(to: 14) + "lost"

    private struct Totals: ConsoleEntry {
        var kind = "summary"
        let emitted: Int
        let delivered: Int
        let deadLettered: Int
        let lost: Int

        var text: String {
            "emitted=\(emitted) delivered=\(delivered) dead-lettered=\(deadLettered) lost=\(lost)"
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
