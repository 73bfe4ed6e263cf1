/// Checks that every event arrives, once, and in its publisher's order.
struct Arrivals {
    private(set) var count = 0
    private let total: Int
    private var next: [Int]

    init(of total: Int, publishers: Int = 1) {
        self.total = total
        next = Array(repeating: 0, count: publishers)
    }

    var areComplete: Bool { count == total }

    mutating func add(_ label: Label?) throws {
        guard let label, label.publisher < next.count else { throw Problem("An event of another kind arrived.") }
        guard label.number == next[label.publisher] else {
            throw Problem("Event \(label.number) arrived instead of event \(next[label.publisher]).")
        }
        next[label.publisher] += 1
        count += 1
    }

    func finish() throws {
        guard areComplete else { throw Problem("\(count) events arrived instead of \(total).") }
    }
}
