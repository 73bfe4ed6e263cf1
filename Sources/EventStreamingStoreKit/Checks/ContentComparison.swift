package import EventStreamingCore

/// Tells whether an event that is appended again is the one that is stored.
package enum ContentComparison {
    /// - Throws: `eventIDConflict` when type or payload differ.
    package static func check(_ event: NewEvent, isContentOf stored: StoredEvent) throws(EventStreamingError) {
        guard event.type == stored.type, isSame(event.payload, stored.payload) else {
            throw EventStreamingError(
                .eventIDConflict,
                "Event id \(event.id) is in the stream already, with another content."
            )
        }
    }

    private static func isSame(_ left: EventPayload, _ right: EventPayload) -> Bool {
        switch (left, right) {
        case (.value(let left), .value(let right)): isSame(left, right)
        case (.encoded(let left), .encoded(let right)): left == right
        case (.value, .encoded), (.encoded, .value): false
        }
    }

    /// Values that cannot be written down cannot be told to be the same.
    private static func isSame(_ left: any Event, _ right: any Event) -> Bool {
        guard type(of: left) == type(of: right),
            let leftBytes = try? PayloadMeter.canonicalBytes(of: left),
            let rightBytes = try? PayloadMeter.canonicalBytes(of: right)
        else { return false }
        return leftBytes == rightBytes
    }
}
