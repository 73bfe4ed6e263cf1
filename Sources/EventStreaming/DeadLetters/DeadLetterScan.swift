import EventStreamingCore

/// Looks at the open dead letters of a subscription, some at a time: neither memory nor a transaction grows with their
/// number.
struct DeadLetterScan: Sendable {
    /// How many are looked at, and redriven or discarded in one transaction.
    static let batchSize = 100
    /// How many are looked at for one page of a list.
    static let examinedPerPage = 1000

    let store: any EventStreamingStore
    let subscription: SubscriptionID
    let filter: DeadLetterFilter
    /// The numbers to look at.
    let span: Range<StreamOffset>

    init(of selection: DeadLetterSelection, in store: any EventStreamingStore) {
        self.store = store
        subscription = selection.subscription
        filter = selection.filter
        span = selection.span
    }

    /// Some of the open dead letters, from a number on.
    struct Batch {
        /// How many were looked at.
        let examined: Int
        /// Those that match.
        let letters: [DeadLetter]
        /// All numbers that were looked at; closed ones may be in between, and those that do not match.
        let numbers: [StreamOffset]
        /// Where the next batch begins; `nil` when this is the last.
        let next: StreamOffset?

        /// The numbers of those that match, as ranges. A range goes over numbers that are closed, which are closed for
        /// ever, but over none that does not match.
        var ranges: [Range<StreamOffset>] {
            var ranges: [Range<StreamOffset>] = []
            var isOpen = false
            var matching = letters.map(\.number)[...]
            for number in numbers {
                guard number == matching.first else {
                    isOpen = false
                    continue
                }
                matching.removeFirst()
                let end = number.advanced(by: 1)
                if isOpen, let last = ranges.last {
                    ranges[ranges.count - 1] = last.lowerBound..<end
                } else {
                    ranges.append(number..<end)
                }
                isOpen = true
            }
            return ranges
        }
    }

    /// Looks at the next ones.
    func batch(
        from number: StreamOffset,
        limit: Int = Self.batchSize
    ) async throws(EventStreamingError) -> Batch {
        let start = max(number, span.lowerBound)
        guard start < span.upperBound else { return Batch(examined: 0, letters: [], numbers: [], next: nil) }
        let page = try await store.deadLetters(of: subscription, from: start, limit: limit)
        let examined = page.filter { $0.number < span.upperBound }
        let isLast = page.isEmpty || examined.count < page.count
        return Batch(
            examined: examined.count,
            letters: examined.filter { filter.matches($0) },
            numbers: examined.map(\.number),
            next: isLast ? nil : page.last?.number.advanced(by: 1)
        )
    }

    /// A page of those that match.
    func page(from number: StreamOffset, limit: Int) async throws(EventStreamingError) -> DeadLetterPage {
        var letters: [DeadLetter] = []
        var next: StreamOffset? = number
        var examined = 0
        while let start = next, letters.count < limit, examined < Self.examinedPerPage {
            let batch = try await batch(from: start)
            examined += batch.examined
            next = batch.next
            let room = limit - letters.count
            if batch.letters.count > room {
                letters += batch.letters.prefix(room)
                next = letters.last?.number.advanced(by: 1)
            } else {
                letters += batch.letters
            }
        }
        return DeadLetterPage(letters: letters, next: next)
    }

    /// What would be done.
    func preview(_ selection: DeadLetterSelection) async throws(EventStreamingError) -> DeadLetterPreview {
        var preview = DeadLetterPreview(selection)
        var next: StreamOffset? = span.lowerBound
        while let start = next {
            try Self.checkCancellation()
            let batch = try await batch(from: start)
            let ranges = batch.ranges
            let redrivable = ranges.isEmpty ? [] : try await store.redrivable(ranges, of: subscription)
            preview.add(batch.letters, redrivable: redrivable.count)
            next = batch.next
        }
        return preview
    }

    /// Does something with all that match, batch by batch.
    ///
    /// - Parameters:
    ///   - progress: Told after each batch.
    ///   - close: Does it with some, and returns which it was done with.
    func run(
        _ selection: DeadLetterSelection,
        progress: @Sendable (DeadLetterProgress) async -> Void,
        _ close: ([Range<StreamOffset>]) async throws(EventStreamingError) -> [StreamOffset]
    ) async throws(EventStreamingError) -> DeadLetterProgress {
        var state = DeadLetterProgress(selection)
        var next: StreamOffset? = span.lowerBound
        while let start = next {
            try Self.checkCancellation()
            let batch = try await batch(from: start)
            let ranges = batch.ranges
            if !ranges.isEmpty {
                state.done += try await close(ranges).count
            }
            state.examined += batch.examined
            state.matching += batch.letters.count
            next = batch.next
            state.next = next ?? selection.end
            state.isFinished = next == nil
            await progress(state)
        }
        return state
    }

    private static func checkCancellation() throws(EventStreamingError) {
        guard Task.isCancelled else { return }
        throw EventStreamingError(
            .cancelled,
            "The task was cancelled; what was done so far stays. Go on with the same selection."
        )
    }
}
