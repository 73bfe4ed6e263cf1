import EventStreaming

/// What was counted, and of which events: one value, so that both are written together.
///
/// An event is delivered until it is acknowledged, so it can come again when this program or the service was killed in
/// between; then its offset says that it was counted.
struct Counts: Codable, Equatable {
    /// Offsets that lie next to each other.
    struct Span: Codable, Equatable {
        var begin: Int64
        var end: Int64
    }

    private(set) var added = 0
    private(set) var removed = 0
    /// Which offsets were counted, in order. One span, but where events are delivered out of order after a failure.
    private(set) var counted: [Span] = []

    var users: Int { added - removed }

    /// Counts an event, once.
    ///
    /// - Returns: Whether it was not counted before.
    mutating func count(_ event: any Event, at offset: StreamOffset) -> Bool {
        guard insert(offset.rawValue) else { return false }
        switch event {
        case is UserAdded: added += 1
        case is UserRemoved: removed += 1
        default: break
        }
        return true
    }

    private mutating func insert(_ offset: Int64) -> Bool {
        // From the end, where nearly all belong.
        let index = counted.lastIndex { $0.begin <= offset }
        if let index, offset < counted[index].end { return false }
        let next = index.map { $0 + 1 } ?? 0
        if let index, counted[index].end == offset {
            counted[index].end += 1
            if next < counted.count, counted[next].begin == offset + 1 {
                counted[index].end = counted[next].end
                counted.remove(at: next)
            }
        } else if next < counted.count, counted[next].begin == offset + 1 {
            counted[next].begin = offset
        } else {
            counted.insert(Span(begin: offset, end: offset + 1), at: next)
        }
        return true
    }
}
