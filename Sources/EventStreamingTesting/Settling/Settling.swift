import EventStreaming
import EventStreamingCore

/// One wait for subscriptions to finish.
struct Settling: Sendable {
    typealias Unfinished = SettlingError.Unfinished

    let streaming: EventStreaming
    private let definitions: [SubscriptionDefinition]
    /// The clock to advance, if any.
    private let clock: ManualClock?
    private let limit: Duration

    init(
        streaming: EventStreaming,
        subscriptions: [String],
        clock: ManualClock? = nil,
        limit: Duration = .zero
    ) throws(EventStreamingError) {
        self.streaming = streaming
        self.clock = clock
        self.limit = limit
        guard !subscriptions.isEmpty else {
            definitions = streaming.subscriptionDefinitions
            return
        }
        var named: [SubscriptionDefinition] = []
        for name in subscriptions {
            named.append(try streaming.subscriptionDefinition(name))
        }
        definitions = named.sorted { $0.id < $1.id }
    }

    func wait(_ timeout: Duration, fileID: String, line: Int) async throws {
        // Looked at here first, so that what is finished already is finished within any time.
        await streaming.releaseAbandoned()
        if try await missing().isEmpty { return }
        let end = timeout > .zero ? try await withDeadline(timeout) { try await waitForEnd() } : nil
        if end == .settled { return }
        let unfinished = try await missing()
        if unfinished.isEmpty { return }
        let cause: SettlingError.Cause =
            switch end {
            case .settled, nil: .timedOut(timeout)
            case .clockExhausted: .clockExhausted(limit)
            case .shutDown: .shutDown
            }
        throw SettlingError(cause: cause, unfinished: unfinished, clockStep: clockStep, fileID: fileID, line: line)
    }

    private var clockStep: Duration? {
        (streaming.clock as? ManualClock).flatMap { clock in clock.nextDeadline.map { $0 - clock.uptime } }
    }

    // MARK: - Waiting

    private enum End {
        case settled
        case clockExhausted
        case shutDown
    }

    /// Returns when everything has finished, or never will.
    private func waitForEnd() async throws -> End {
        var advanced = Duration.zero
        while true {
            try Task.checkCancellation()
            let mark = streaming.activityMark
            // Read before the positions: what is finished until it stops is seen as finished.
            let hasStopped = streaming.hasStopped
            await streaming.releaseAbandoned()
            let unfinished = try await missing()
            if unfinished.isEmpty { return .settled }
            if hasStopped { return .shutDown }
            guard let clock, let sleepers = sleepersWhenIdle(unfinished) else {
                await streaming.waitForActivity(since: mark)
                continue
            }
            let areAsleep = await clock.waitForSleepers(sleepers) { [streaming] in
                await streaming.waitForActivity(since: mark)
            }
            guard areAsleep, streaming.activityMark == mark, let deadline = clock.nextDeadline else { continue }
            let step = max(.zero, deadline - clock.uptime)
            guard advanced + step <= limit else { return .clockExhausted }
            advanced += step
            clock.advance(by: step)
        }
    }

    /// How many tasks sleep at the clock when nothing but time can finish what is unfinished; `nil` when something else
    /// is missing.
    private func sleepersWhenIdle(_ unfinished: [Unfinished]) -> Int? {
        let (isRunning, consumers) = (streaming.isRunning, streaming.localConsumers)
        var sleepers = 0
        for position in unfinished {
            let consumers = consumers.count { consumer in
                consumer.subscription == position.subscription
                    && (position.consumer == nil || consumer.consumer == position.consumer)
            }
            let isHandled = isRunning && streaming.hasHandler(position.subscription)
            guard position.inFlight == 0, consumers > 0 || isHandled else { return nil }
            // Without a consumer, the handler waits to register again.
            sleepers += max(1, consumers)
        }
        // The background work sleeps too; without it, every consumer gives its signs of life by itself.
        return isRunning ? sleepers + streaming.backgroundSleepers : consumers.count
    }

    // MARK: - Looking

    /// What was seen of all positions, one after the other.
    private struct View {
        var unfinished: [Unfinished] = []
        var heads: [StreamOffset] = []
    }

    /// What is not finished.
    ///
    /// The positions cannot be read all at once, and a handler that finishes may have emitted into a stream whose
    /// subscriptions were looked at before. So nothing is missing only when it was so twice and no stream grew meanwhile:
    /// between the two looks everything was finished.
    private func missing() async throws -> [Unfinished] {
        var last = try await look()
        while last.unfinished.isEmpty {
            try Task.checkCancellation()
            let next = try await look()
            if next.unfinished.isEmpty, next.heads == last.heads { return [] }
            last = next
        }
        return last.unfinished
    }

    private func look() async throws(EventStreamingError) -> View {
        var view = View()
        for definition in definitions {
            let positions = try await streaming.progress(of: definition.id.rawValue)
            view.heads += positions.map(\.head)
            let missing = positions.filter { !$0.isFinished }.map { Unfinished($0) }
            guard !missing.isEmpty else { continue }
            let connected = try await streaming.consumers(of: definition.id.rawValue).filter(\.isConnected).map(\.id)
            view.unfinished += missing.map { position in
                position.connected(position.consumer.map(connected.contains) ?? !connected.isEmpty)
            }
        }
        return view
    }
}

extension SettlingError.Unfinished {
    fileprivate init(_ progress: SubscriptionProgress) {
        self.init(
            subscription: progress.subscription,
            consumer: progress.consumer,
            behind: progress.lag,
            inFlight: progress.inFlight,
            waiting: progress.waiting,
            isConnected: false
        )
    }

    fileprivate func connected(_ isConnected: Bool) -> Self {
        Self(
            subscription: subscription,
            consumer: consumer,
            behind: behind,
            inFlight: inFlight,
            waiting: waiting,
            isConnected: isConnected
        )
    }
}
