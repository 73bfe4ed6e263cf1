import EventStreamingCore
import Logging
import Synchronization

/// A consumer that a transport drives, at the store of its service.
final class InProcessDeliveryConsumer: DeliveryConsumer {
    let registration: ConsumerRegistration
    let terms: ConsumerTerms
    private let plan: SubscriptionPlan
    private let engine: Engine
    private let eventTypes: Set<String>?
    private let payloads: PayloadForm
    private let listener: Signal.Listener
    private let questions = Atomic(0)
    private let isClosed = Atomic(false)

    init(
        _ registration: ConsumerRegistration,
        _ request: ConsumerRequest,
        plan: SubscriptionPlan,
        engine: Engine,
        onChange: @escaping @Sendable () -> Void
    ) {
        self.registration = registration
        self.plan = plan
        self.engine = engine
        terms = ConsumerTerms(plan.definition)
        eventTypes = request.eventTypes
        payloads = request.payloads
        listener = engine.signal(of: plan.definition.id).listen(onChange)
    }

    deinit {
        engine.signal(of: plan.definition.id).forget(listener)
    }

    func dequeue(limit: Int, settling settlement: Settlement?) async throws(EventStreamingError) -> DequeueResult {
        guard !engine.lifecycle.isDraining else { throw Lifecycle.refusal(in: engine.lifecycle.phase) }
        if let settlement { try check(settlement) }
        var settlement = settlement
        while true {
            switch try await engine.store.dequeue(as: registration, limit: limit, settling: settlement) {
            case .empty(let until):
                let count = questions.add(1, ordering: .relaxed).newValue
                return .empty(until: engine.wakeUp(until, plan, afterQuestions: count))
            case .lease(let lease):
                questions.store(0, ordering: .relaxed)
                engine.telemetry.count(lease, of: plan.definition.id)
                settlement = nil
                if let lease = try await prepared(lease) { return .lease(lease) }
            }
        }
    }

    /// The lease with what the consumer wants, in the form it wants it; `nil` when nothing of it is left. What is left out
    /// is settled here.
    private func prepared(_ lease: Lease) async throws(EventStreamingError) -> Lease? {
        guard eventTypes != nil || payloads == .encoded else { return lease }
        var events: [StoredEvent] = []
        events.reserveCapacity(lease.events.count)
        var settlement = Settlement(of: registration, leaseEpoch: lease.epoch)
        for event in lease.events {
            let offsets = event.offset..<event.offset.advanced(by: 1)
            if let eventTypes, !eventTypes.contains(event.type.name) {
                settlement.completed.append(offsets)
                continue
            }
            do throws(EventStreamingError) {
                events.append(payloads == .encoded ? try event.encoded(by: engine.options.codec) : event)
            } catch {
                settlement.rejections.append(
                    Rejection(offsets: offsets, action: .deadLetter, reason: error.message)
                )
            }
        }
        if lease.needsSettlement, !(settlement.completed.isEmpty && settlement.rejections.isEmpty) {
            try await engine.store.settle(settlement)
        }
        guard !events.isEmpty else { return nil }
        return lease.replacing(events)
    }

    func settle(_ settlement: Settlement) async throws(EventStreamingError) {
        try check(settlement)
        try await engine.store.settle(settlement)
    }

    private func check(_ settlement: Settlement) throws(EventStreamingError) {
        guard settlement.holder == registration else {
            throw EventStreamingError(.invalidArgument, "The settlement is that of another registration.")
        }
    }

    func heartbeat(extending leases: LeaseExtension) async throws(EventStreamingError) {
        try await engine.store.heartbeat(registration, extending: leases)
    }

    func markRead(_ selection: ReceiptSelection) async throws(EventStreamingError) -> Int {
        guard terms.mode == .readReceipt else {
            throw EventStreamingError(
                .unsupported,
                "Subscription '\(registration.subscription)' keeps no read receipts; its mode is \(terms.mode.rawValue)."
            )
        }
        return try await engine.store.markRead(
            selection,
            by: registration.consumer,
            of: registration.subscription
        )
    }

    func close() async {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        engine.signal(of: plan.definition.id).forget(listener)
        guard Task.isCancelled else { return await unregister() }
        // A store may refuse work for a cancelled task, so another one does it.
        await Task { await unregister() }.value
    }

    private func unregister() async {
        do throws(EventStreamingError) {
            try await engine.store.unregisterConsumer(registration)
        } catch {
            // No harm: it was replaced, or the store takes everything back by itself when leases run out.
            engine.options.logger.debug(
                "A consumer could not be unregistered.",
                metadata: [LogKey.consumer: "\(registration.consumer)", LogKey.error: "\(error)"]
            )
        }
    }
}

extension StoredEvent {
    /// The event with its bytes.
    ///
    /// - Throws: `encodingFailed`.
    func encoded(by codec: any EventCodec) throws(EventStreamingError) -> StoredEvent {
        guard case .value(let event) = payload else { return self }
        return replacingPayload(by: .encoded(try codec.encode(event)))
    }
}

extension Lease {
    /// The lease with these events.
    func replacing(_ events: [StoredEvent]) -> Lease {
        Lease(
            holder: holder,
            epoch: epoch,
            offsets: offsets,
            events: events,
            attempt: attempt,
            isRedriven: isRedriven,
            needsSettlement: needsSettlement,
            missed: missed
        )
    }
}
