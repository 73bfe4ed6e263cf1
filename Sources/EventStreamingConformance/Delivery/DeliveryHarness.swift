import EventStreaming
import EventStreamingCore
import EventStreamingTesting
import Synchronization

private struct ChecksWorkflow: Workflow {
    static var streamName: String { "checks" }
}

/// A provider to check, and the service behind it.
struct DeliveryHarness: Sendable {
    let provider: any EventDeliveryProvider
    let service: EventStreaming
    let clock: ManualClock

    static let stream = "checks"

    /// A service with one stream and a subscription in every mode: `queue`, `news`, `group`; and `once`, which delivers at
    /// most once. What fails is delivered again at once, three times in all.
    static func makeService(_ clock: ManualClock) throws -> EventStreaming {
        try EventStreaming { service in
            service.options.clock = clock
            service.options.limits.maximumPayloadBytes = 1000
            service.addStream(ChecksWorkflow.self) { $0.type = .persistent }
            for (name, mode, semantics) in [
                ("queue", SubscriptionMode.exclusive, DeliverySemantics.atLeastOnce),
                ("news", .broadcast, .atLeastOnce), ("group", .consumerGroup, .atLeastOnce),
                ("once", .exclusive, .atMostOnce),
            ] {
                service.addSubscription(name) { subscription in
                    subscription.stream(ChecksWorkflow.self)
                    subscription.mode = mode
                    subscription.semantics = semantics
                    // At most once, nothing is delivered again.
                    guard semantics == .atLeastOnce else { return }
                    subscription.retry.maximumAttempts = 3
                    subscription.retry.initialDelay = .zero
                }
            }
        }
    }

    // MARK: - Publishing

    /// An event that says its number.
    func event(_ number: Int, id: MessageID? = nil, type: String = "Checked", size: Int? = nil) -> NewEvent {
        var bytes = Array("{\"number\":\(number)}".utf8)
        if let size { bytes += [UInt8](repeating: 0x20, count: max(0, size - bytes.count)) }
        return NewEvent(
            id: id ?? MessageID(high: 0x0199_0000_0000_7000, low: 0x8000_0000_0000_0000 | UInt64(number)),
            type: EventType(name: type),
            payload: .encoded(bytes),
            size: bytes.count
        )
    }

    func append(
        _ events: [NewEvent],
        to stream: String = stream,
        expecting: ExpectedVersion = .any
    ) throws -> StreamAppend {
        StreamAppend(stream: try StreamName(stream), events: events, expectedVersion: expecting)
    }

    /// Publishes events with these numbers in one append.
    func publish(_ numbers: ClosedRange<Int>) async throws {
        let results = await provider.publish([try append(numbers.map { event($0) })])
        try requireEqual(results.count, 1, "results of one append")
        _ = try results[0].get()
    }

    // MARK: - Consuming

    func connect(
        _ subscription: String,
        as consumer: String? = nil,
        _ change: (inout ConsumerRequest) -> Void = { _ in }
    ) async throws -> CheckedConsumer {
        var request = ConsumerRequest(
            subscription: try SubscriptionID(subscription),
            consumer: try consumer.map { name throws(EventStreamingError) in try ConsumerID(name) }
        )
        change(&request)
        let changes = HintCounter()
        return CheckedConsumer(
            consumer: try await provider.connect(request) { changes.add() },
            changes: changes
        )
    }

    func position(of subscription: String, _ consumer: String? = nil) async throws -> Int64? {
        try await service.progress(of: subscription).first {
            consumer == nil || $0.consumer?.rawValue == consumer
        }?.position.rawValue
    }
}

/// A consumer, and what it was told.
struct CheckedConsumer: Sendable {
    let consumer: any DeliveryConsumer
    let changes: HintCounter

    /// The next lease, when it is there.
    func next(_ limit: Int = 100, settling settlement: Settlement? = nil) async throws -> Lease {
        var settlement = settlement
        while true {
            let count = changes.count
            switch try await consumer.dequeue(limit: limit, settling: settlement) {
            case .lease(let lease): return lease
            case .empty: break
            }
            settlement = nil
            try require(await changes.wait(since: count), "no hint came within a minute that there are events")
        }
    }

    /// Takes leases until there are so many events.
    func take(_ count: Int) async throws -> [Lease] {
        var leases: [Lease] = []
        var taken = 0
        while taken < count {
            let lease = try await next(count - taken)
            taken += lease.events.count
            leases.append(lease)
        }
        return leases
    }

    /// Says that events are finished.
    func finish(_ lease: Lease, _ offsets: Range<Int64>? = nil) async throws {
        try await consumer.settle(settlement(lease, offsets))
    }

    func settlement(_ lease: Lease, _ offsets: Range<Int64>? = nil) -> Settlement {
        let completed = offsets.map { StreamOffset($0.lowerBound)..<StreamOffset($0.upperBound) } ?? lease.offsets
        return Settlement(of: consumer.registration, leaseEpoch: lease.epoch, completed: [completed])
    }

    func reject(_ lease: Lease, _ action: Rejection.Action = .retry(after: nil), _ reason: String = "check")
        async throws
    {
        let rejection = Rejection(offsets: lease.offsets, action: action, reason: reason)
        try await consumer.settle(
            Settlement(of: consumer.registration, leaseEpoch: lease.epoch, rejections: [rejection])
        )
    }
}

extension Lease {
    /// The numbers of the events, in order.
    var numbers: [Int] {
        events.map { event in
            guard case .encoded(let bytes) = event.payload else { return -1 }
            return Int(String(decoding: bytes, as: UTF8.self).filter { $0.isNumber }) ?? -1
        }
    }
}

/// Counts hints, and waits for one.
final class HintCounter: Sendable {
    private let signal = Signal()

    var count: UInt64 { signal.version }

    func add() {
        signal.notify()
    }

    /// Whether one came since then; gives up after a minute of real time, which only a provider that breaks its contract
    /// makes it do.
    func wait(since count: UInt64) async -> Bool {
        let clock = SystemClock()
        await signal.wait(since: count, until: clock.uptime + .seconds(60), clock: clock)
        return signal.version != count
    }
}

/// The numbers of events that several consumers got.
final class SeenNumbers: Sendable {
    private let numbers = Mutex<[Int]>([])

    var count: Int { numbers.withLock { $0.count } }
    var sorted: [Int] { numbers.withLock { $0.sorted() } }

    /// Adds some; returns how many there are then.
    func add(_ more: [Int]) -> Int {
        numbers.withLock { numbers in
            numbers += more
            return numbers.count
        }
    }
}
