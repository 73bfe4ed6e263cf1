import EventStreamingCore

/// Reads a replay's events page by page, and hands out those that are wanted, in time.
struct ReplayPager: Sendable {
    /// The payload bytes that a page should have at most, as far as can be foreseen.
    private static let bytesPerPage = 4_000_000

    let plan: ReplayPlan
    private let meter: ReplayMeter
    /// Where only one type is wanted.
    private let type: EventType?
    private var page: ArraySlice<StoredEvent> = []
    /// The offset to read next.
    private var next: Int64
    private var delivered = 0
    private var averageSize: Int
    /// The first event's time, and the uptime when it was handed out.
    private var origin: (time: Timestamp, uptime: Duration)?

    init(_ plan: ReplayPlan, _ meter: ReplayMeter, only type: EventType? = nil) {
        self.plan = plan
        self.meter = meter
        self.type = type
        next = plan.range.lowerBound
        averageSize = plan.averageSize
        meter.begin()
    }

    /// The next event that is wanted; `nil` at the end.
    mutating func next() async throws(EventStreamingError) -> StoredEvent? {
        while true {
            try checkCancellation()
            if delivered == plan.options.maximumEvents { return end() }
            guard let event = page.first else {
                guard try await readPage() else { return end() }
                continue
            }
            if wants(event) {
                try await wait(for: event)
                delivered += 1
                page.removeFirst()
                meter.pass(to: event.offset.rawValue + 1, delivered: delivered)
                return event
            }
            page.removeFirst()
            meter.pass(to: event.offset.rawValue + 1, delivered: delivered)
        }
    }

    private func wants(_ event: StoredEvent) -> Bool {
        if let type, event.type != type { return false }
        return plan.options.wants(event)
    }

    private func checkCancellation() throws(EventStreamingError) {
        guard !Task.isCancelled else {
            throw EventStreamingError(.cancelled, "The replay's task was cancelled.")
        }
    }

    private func end() -> StoredEvent? {
        let isNew = !meter.progress.isFinished
        meter.end()
        if isNew {
            plan.options.onProgress?(meter.progress)
        }
        return nil
    }

    // MARK: - Pages

    /// - Returns: Whether there is one.
    private mutating func readPage() async throws(EventStreamingError) -> Bool {
        guard next < plan.range.upperBound else { return false }
        if next > plan.range.lowerBound {
            plan.options.onProgress?(meter.progress)
        }
        let limit = min(plan.range.upperBound - next, Int64(pageLimit))
        let events = try await plan.engine.store.read(
            plan.stream,
            from: StreamOffset(next),
            direction: .forward,
            limit: Int(limit)
        )
        guard let last = events.last else { return false }
        page = events[...]
        next = last.offset.rawValue + 1
        averageSize = events.reduce(0) { $0 &+ $1.size } / events.count
        return true
    }

    private var pageLimit: Int {
        var limit = plan.options.pageSize
        if averageSize > 0 {
            limit = min(limit, max(1, Self.bytesPerPage / averageSize))
        }
        // Where nothing is filtered out, no more is needed than this.
        if let maximum = plan.options.maximumEvents, type == nil, plan.options.eventTypes == nil,
            plan.options.filter == nil
        {
            limit = min(limit, maximum - delivered)
        }
        return max(1, limit)
    }

    // MARK: - Pace

    /// Returns when it is time for the event.
    private mutating func wait(for event: StoredEvent) async throws(EventStreamingError) {
        guard case .factor(let factor) = plan.options.speed else { return }
        let clock = plan.engine.clock
        guard let origin else {
            origin = (event.timestamp, clock.uptime)
            return
        }
        do {
            try await clock.sleep(until: origin.uptime + (event.timestamp - origin.time) / factor)
        } catch {
            throw EventStreamingError(.cancelled, "The replay's task was cancelled.", underlying: error)
        }
    }
}
