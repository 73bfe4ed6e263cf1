import EventStreamingCore

extension StreamState {
    /// The events of a page, as parts of the log; for reading backward in the order of the log.
    func page(
        from offset: Int64,
        direction: ReadDirection,
        limit: Int
    ) throws(EventStreamingError) -> [ArraySlice<StoredEvent>] {
        switch direction {
        case .forward:
            guard log.first <= offset else {
                throw EventStreamingError(
                    .offsetTrimmed,
                    "Stream '\(name)' no longer has the events from \(offset) on; its oldest is at \(log.first)."
                )
            }
            guard offset < log.head else { return [] }
            return log.slices(in: offset..<offset + min(Int64(limit), log.head - offset))
        case .backward:
            let end = offset < log.head ? offset + 1 : log.head
            guard log.first < end else { return [] }
            return log.slices(in: end - min(Int64(limit), end - log.first)..<end)
        }
    }
}
