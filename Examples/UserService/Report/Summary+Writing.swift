extension Summary {
    func write(to console: Console) {
        console.write(heading: "\n" + Self.heading)
        for row in rows {
            console.write(row)
        }
        if !members.isEmpty {
            console.write(heading: "\n\(Subscriptions.analytics), shared out by user; out of order: \(disordered)")
        }
        for member in members {
            console.write(member)
        }
        if !admins.isEmpty {
            console.write(heading: "\n\(Subscriptions.adminNotifications), by their receipts")
        }
        for admin in admins {
            console.write(admin)
        }
        console.write(heading: "")
        console.write(charges)
        console.write(Totals(self))
    }

    private static let heading =
        "subscription".padded(to: 29) + "stream".padded(to: 18) + "expected".padded(to: 9)
        + "delivered".padded(to: 10) + "repeated".padded(to: 9) + "dead-lettered".padded(to: 14) + "lost"
}

extension Summary.Row {
    var text: String {
        [
            subscription.padded(to: 29), stream.padded(to: 18), String(expected).padded(to: 9),
            String(delivered).padded(to: 10), String(repeated).padded(to: 9), String(deadLettered).padded(to: 14),
            String(lost),
        ].joined()
    }
}

/// The last line.
private struct Totals: ConsoleEntry {
    private let kind = "summary"
    private let emitted: Int
    private let delivered: Int
    private let deadLettered: Int
    private let lost: Int
    private let disordered: Int
    private let uncharged: Int
    private let chargedTwice: Int

    init(_ summary: Summary) {
        emitted = summary.emitted
        delivered = summary.delivered
        deadLettered = summary.deadLettered
        lost = summary.lost
        disordered = summary.disordered
        uncharged = summary.charges.uncharged
        chargedTwice = summary.charges.chargedTwice
    }

    var text: String {
        "emitted=\(emitted) delivered=\(delivered) dead-lettered=\(deadLettered) lost=\(lost)"
            + " uncharged=\(uncharged) charged-twice=\(chargedTwice)"
    }

    private enum CodingKeys: CodingKey {
        case kind, emitted, delivered, deadLettered, lost, disordered, uncharged, chargedTwice
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
