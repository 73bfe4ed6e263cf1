public import EventStreamingCore

/// The events of a part of a stream, once more, in order.
///
/// A replay only reads: no position moves, no consumer notices, and what was acknowledged stays so. Which events belong
/// to it was decided when it was made; what is appended later does not. One page is in memory at a time, and the next is
/// read when the loop asks for it.
///
/// Each loop begins anew; use one at a time, since ``progress`` tells of the newest. A loop ends early with an error of
/// code `cancelled` when its task is cancelled, `offsetTrimmed` when events that it has not come to are removed, or with
/// what the store reports. A new replay from ``ReplayProgress/position`` goes on where this one ended.
public struct Replay: AsyncSequence, Sendable {
    /// An event of the past.
    public typealias Element = ReplayedEvent
    /// Codes `cancelled`, `offsetTrimmed`, or what the store reports.
    public typealias Failure = EventStreamingError

    let plan: ReplayPlan
    let meter: ReplayMeter

    init(_ plan: ReplayPlan) {
        self.plan = plan
        meter = ReplayMeter(range: plan.range, clock: plan.engine.clock)
    }

    /// How far the newest loop is. May be asked by any task at any time.
    public var progress: ReplayProgress { meter.progress }

    /// The events of one type and its version only, decoded.
    public func events<E: Event>(of type: E.Type) -> TypedReplay<E> { TypedReplay(base: self) }

    /// Begins a loop.
    public func makeAsyncIterator() -> Iterator {
        Iterator(pager: ReplayPager(plan, meter))
    }

    /// Where a loop is.
    public struct Iterator: AsyncIteratorProtocol {
        var pager: ReplayPager

        /// The next event; `nil` at the end.
        public mutating func next() async throws(EventStreamingError) -> ReplayedEvent? {
            guard let record = try await pager.next() else { return nil }
            return ReplayedEvent(record, engine: pager.plan.engine)
        }

        /// As ``next()``, in the isolation given.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(EventStreamingError) -> ReplayedEvent? {
            try await next()
        }
    }
}

/// The events of one type in a part of a stream; see ``Replay``.
public struct TypedReplay<Value: Event>: AsyncSequence, Sendable {
    /// An event of the past.
    public typealias Element = TypedReplayedEvent<Value>
    /// As ``Replay/Failure``, and code `decodingFailed`.
    public typealias Failure = EventStreamingError

    let base: Replay

    /// How far the newest loop is; events of other types are looked at, too.
    public var progress: ReplayProgress { base.progress }

    /// Begins a loop.
    public func makeAsyncIterator() -> Iterator {
        Iterator(pager: ReplayPager(base.plan, base.meter, only: EventType(Value.self)))
    }

    /// Where a loop is.
    public struct Iterator: AsyncIteratorProtocol {
        var pager: ReplayPager

        /// The next event; `nil` at the end.
        public mutating func next() async throws(EventStreamingError) -> TypedReplayedEvent<Value>? {
            while let record = try await pager.next() {
                if let event = try pager.plan.engine.event(of: record, as: Value.self) {
                    return TypedReplayedEvent(event: event, record: record)
                }
            }
            return nil
        }

        /// As ``next()``, in the isolation given.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(EventStreamingError) -> TypedReplayedEvent<Value>? {
            try await next()
        }
    }
}
