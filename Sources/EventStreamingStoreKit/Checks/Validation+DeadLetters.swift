package import EventStreamingCore

extension Validation {
    /// Checks which dead letters are meant.
    ///
    /// - Returns: The ranges that are not empty, in order and without any number twice.
    package static func check(
        _ numbers: [Range<StreamOffset>]
    ) throws(EventStreamingError) -> [Range<Int64>] {
        guard numbers.count <= DeadLetter.maximumRangesPerCall else {
            throw EventStreamingError(
                .invalidArgument,
                "\(numbers.count) ranges of dead letters are too many for one call; use at most "
                    + "\(DeadLetter.maximumRangesPerCall)."
            )
        }
        var ranges: [Range<Int64>] = []
        for range in numbers.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
            let range = range.lowerBound.rawValue..<range.upperBound.rawValue
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
        return ranges
    }

    /// Checks what is written into the audit.
    package static func check(_ note: AuditNote) throws(EventStreamingError) {
        guard (1...AuditNote.maximumActorLength).contains(note.actor.utf8.count), !note.actor.utf8.contains(0) else {
            throw EventStreamingError(
                .invalidArgument,
                "\(EventStreamingError.printable(note.actor)) does not name who acts; use 1 to "
                    + "\(AuditNote.maximumActorLength) bytes without U+0000."
            )
        }
        guard note.reason.utf8.count <= AuditNote.maximumReasonLength, !note.reason.utf8.contains(0) else {
            throw EventStreamingError(
                .invalidArgument,
                "The reason \(EventStreamingError.printable(note.reason)) cannot be kept; use at most "
                    + "\(AuditNote.maximumReasonLength) bytes without U+0000."
            )
        }
    }
}
