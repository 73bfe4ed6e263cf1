#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// An append on its way, checked as far as this needs no database.
struct PendingAppend: Sendable {
    let stream: StreamName
    let checked: CheckedAppend
    /// What it counts in a group: about the bytes it takes on the wire.
    let weight: Int

    init(_ append: StreamAppend) throws(EventStreamingError) {
        stream = append.stream
        checked = try CheckedAppend(append)
        var weight = 0
        for event in append.events {
            guard case .encoded(let bytes) = event.payload else {
                throw EventStreamingError(
                    .invalidArgument,
                    "The store in PostgreSQL keeps bytes; event \(event.id) has a value that was not encoded."
                )
            }
            guard !event.type.name.utf8.contains(0) else {
                throw EventStreamingError(
                    .invalidArgument,
                    "The type's name of event \(event.id) has a NUL, which PostgreSQL cannot keep in a text."
                )
            }
            weight = min(1 << 40, weight + bytes.count + 200)
        }
        self.weight = weight
    }
}

/// The appends of a group that go to one stream, in their order.
struct StreamBatch {
    let entry: StreamDirectory.Entry
    /// The places of the appends in the group.
    private(set) var places: [Int] = []
    private(set) var count: Int64 = 0
    private(set) var bytes: Int64 = 0
    private(set) var lowestID: MessageID?
    private(set) var highestID: MessageID?
    /// The head that makes all expectations true; `nil` where any will do.
    private(set) var expectedHead: Int64?
    /// Whether one statement can make these appends: nothing has to be looked up or decided in between.
    private(set) var isSimple = true

    /// Whether the ids of some appends overlap, so that one may be there twice.
    private var mayRepeatIDs = false

    init(_ entry: StreamDirectory.Entry) {
        self.entry = entry
    }

    /// Looks whether an id is in the batch twice, where that may be. Ids of appends from many tasks overlap all the time.
    mutating func checkIDs(_ appends: [PendingAppend]) {
        guard isSimple, mayRepeatIDs else { return }
        var ids = Set<MessageID>(minimumCapacity: Int(clamping: count))
        isSimple = places.allSatisfy { place in
            appends[place].checked.events.allSatisfy { ids.insert($0.id).inserted }
        }
    }

    mutating func add(_ append: PendingAppend, at place: Int) {
        places.append(place)
        expect(append.checked.expectedVersion)
        let events = append.checked.events
        for event in events {
            let sum = bytes.addingReportingOverflow(Int64(event.size))
            bytes = sum.partialValue
            isSimple = isSimple && !sum.overflow
        }
        let ids = append.checked.isAscending ? [events[0].id, events[events.count - 1].id] : events.map(\.id)
        guard let low = ids.min(), let high = ids.max() else { return }
        // Within one append ids differ; two appends differ for sure when their ids do not overlap.
        if let highestID, let lowestID {
            mayRepeatIDs = mayRepeatIDs || !(highestID < low || high < lowestID)
        }
        lowestID = min(lowestID ?? low, low)
        highestID = max(highestID ?? high, high)
        count += Int64(events.count)
    }

    private mutating func expect(_ version: ExpectedVersion) {
        let expected: Int64
        switch version {
        case .any: return
        case .exists:
            // True for sure once something was appended before it.
            isSimple = isSimple && count > 0
            return
        case .noStream: expected = -count
        case .exactly(let offset): expected = offset.rawValue - count
        }
        isSimple = isSimple && expected >= 0 && (expectedHead ?? expected) == expected
        expectedHead = expected
    }
}
#endif
