/// The lowest of all positions in a stream: an ephemeral stream keeps nothing before it.
///
/// With a thousand positions, looking at all of them after every acknowledgement would be the most expensive part of
/// it. So it is known how many are at the lowest; only when the last of those moves on, all are looked at.
package struct RetentionFloor: Sendable {
    /// How many positions there are.
    package private(set) var positions = 0
    /// The lowest position, when it was last looked for.
    package private(set) var lowest: Int64 = .max
    private var countAtLowest = 0

    package init() {}

    /// Whether all positions must be looked at to know the lowest.
    package var isStale: Bool { countAtLowest == 0 && positions > 0 }

    package mutating func add(_ position: Int64) {
        positions += 1
        if position < lowest {
            lowest = position
            countAtLowest = 1
        } else if position == lowest {
            countAtLowest += 1
        }
    }

    package mutating func remove(_ position: Int64) {
        positions -= 1
        if position == lowest {
            countAtLowest -= 1
        }
        if positions == 0 {
            self = RetentionFloor()
        }
    }

    package mutating func move(from old: Int64, to new: Int64) {
        if old == lowest, new != old {
            countAtLowest -= 1
        }
    }

    /// Begins a new count, for which every position has to be added again.
    package mutating func reset() {
        self = RetentionFloor()
    }
}
