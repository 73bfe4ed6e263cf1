import EventStreaming
import Synchronization

/// A service whose stream is kept durably.
enum DurableService {
    /// The most events of a lease and so of a batch.
    static let batch = 100

    /// Runs `body` with a service that has so many subscriptions, all at the beginning of the stream.
    static func run<Result: Sendable>(
        _ storage: EventStreamingStorage,
        subscriptions: Int,
        mode: SubscriptionMode = .exclusive,
        handle: (@Sendable (StoredPacket) -> Void)? = nil,
        _ body: @escaping @Sendable (EventStreaming) async throws -> Result
    ) async throws -> Result {
        let streaming = try service(storage, subscriptions: subscriptions, mode: mode, handle: handle)
        return try await withEventStreaming(streaming, body)
    }

    private static func service(
        _ storage: EventStreamingStorage,
        subscriptions: Int,
        mode: SubscriptionMode,
        handle: (@Sendable (StoredPacket) -> Void)?
    ) throws -> EventStreaming {
        try EventStreaming(storage: storage) { streaming in
            streaming.options.codec = PacketCodec()
            streaming.addEvent(StoredPacket.self)
            streaming.addStream(BenchmarkWorkflow.self) { stream in
                stream.name = "events"
                stream.type = .persistent
            }
            for number in 0..<subscriptions {
                streaming.addSubscription(name(number)) { subscription in
                    subscription.stream(BenchmarkWorkflow.self)
                    subscription.mode = mode
                    subscription.prefetch = batch
                    if let handle {
                        subscription.handle(StoredPacket.self) { packet, _ in handle(packet) }
                    }
                }
            }
        }
    }

    /// The name of a subscription.
    static func name(_ number: Int) -> String { "benchmark-\(number)" }
}

extension EventStreaming {
    /// One consumer that takes batches until so many events, or a few more, are there and acknowledged durably.
    ///
    /// - Parameters:
    ///   - first: The number of the first event.
    ///   - progress: Told after each batch how many events there were.
    /// - Returns: How many events there were a second, and how many altogether.
    func drain(
        _ count: Int,
        of subscription: String,
        from first: Int = 0,
        progress: (Int) -> Void = { _ in }
    ) async throws -> (rate: Double, count: Int) {
        try await withSubscription(to: subscription) { subscription in
            let watch = Stopwatch()
            var next = first
            for try await batch in subscription.batches {
                for delivery in batch {
                    guard delivery.event(as: StoredPacket.self)?.label.number == next else {
                        throw Problem("The event at \(delivery.record.offset) is not event \(next).")
                    }
                    next += 1
                }
                progress(next - first)
                if next >= first + count {
                    try await batch.acknowledge()
                    return (watch.rate(of: next - first), next - first)
                }
            }
            throw Problem("\(next - first) events came instead of \(count).")
        }
    }

    /// Competing consumers that take batches until all events of the stream are there, once, and acknowledged durably.
    func drainAll(_ count: Int, of subscription: String, consumers: Int) async throws -> Double {
        let seen = Tally()
        let watch = Stopwatch()
        let seconds = try await withThrowingTaskGroup(of: Double?.self) { group in
            for _ in 0..<consumers {
                group.addTask {
                    do {
                        return try await self.consume(count, of: subscription, with: consumers, seen, watch)
                    } catch let error as EventStreamingError where error.code == .cancelled {
                        // Another consumer had the last event.
                        return nil
                    }
                }
            }
            var seconds: Double?
            while seconds == nil, let next = try await group.next() {
                seconds = next
            }
            group.cancelAll()
            return seconds
        }
        guard let seconds, seen.count == count, seen.sum == count * (count - 1) / 2 else {
            throw Problem("\(seen.count) events came instead of \(count), or others.")
        }
        return Double(count) / seconds
    }

    /// Asking for the next batch acknowledges the one before; only near the end, where there may be no next one, each is
    /// acknowledged by itself.
    ///
    /// - Returns: When it was the one that acknowledged the last event, the seconds until then.
    private func consume(
        _ count: Int,
        of subscription: String,
        with consumers: Int,
        _ seen: Tally,
        _ watch: Stopwatch
    ) async throws -> Double? {
        let end = count - 2 * consumers * DurableService.batch
        var last = (count: 0, sum: 0)
        for try await batch in try subscribe(to: subscription).batches {
            let acknowledged = seen.add(last.count, sum: last.sum)
            last = (batch.count, 0)
            for delivery in batch {
                last.sum += delivery.event(as: StoredPacket.self)?.label.number ?? 0
            }
            guard acknowledged >= end else { continue }
            try await batch.acknowledge()
            if seen.add(last.count, sum: last.sum) >= count { return watch.seconds }
            last = (0, 0)
        }
        return nil
    }

    /// Broadcast consumers that each take all events.
    func fanOut(_ count: Int, of subscription: String, consumers: Int) async throws -> Double {
        let watch = Stopwatch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<consumers {
                group.addTask {
                    _ = try await self.drain(count, of: subscription)
                }
            }
            for try await _ in group {}
        }
        return watch.rate(of: consumers * count)
    }
}

/// What several consumers have seen together.
private final class Tally: Sendable {
    private let state = Mutex((count: 0, sum: 0))

    var count: Int { state.withLock { $0.count } }
    var sum: Int { state.withLock { $0.sum } }

    /// Returns the new count.
    func add(_ count: Int, sum: Int) -> Int {
        state.withLock { state in
            state.count += count
            state.sum += sum
            return state.count
        }
    }
}
