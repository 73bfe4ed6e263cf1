import EventStreamingCore
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("FaultInjectingStore", .timeLimit(.minutes(5)))
struct FaultInjectingStoreTests {
    private let store: FaultInjectingStore
    private let stream: StreamName
    private let ids = MessageIDGenerator(clock: ManualClock())
    private let unavailable = EventStreamingError(.storeUnavailable, "The store is gone.")

    init() async throws {
        store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: ManualClock()))
        stream = try StreamName("orders")
        try await store.createStream(StreamDefinition(name: stream, type: .persistent))
    }

    private func append() async throws(EventStreamingError) {
        let event = NewEvent(id: ids.next(), type: EventType(name: "Ordered"), payload: .encoded([1]), size: 1)
        _ = try await store.append(StreamAppend(stream: stream, events: [event]))
    }

    private func outcomes(of count: Int) async -> [EventStreamingError.Code?] {
        var outcomes: [EventStreamingError.Code?] = []
        for _ in 0..<count {
            do throws(EventStreamingError) {
                try await append()
                outcomes.append(nil)
            } catch {
                outcomes.append(error.code)
            }
        }
        return outcomes
    }

    private func length() async throws -> Int {
        try await store.base(metadataOf: stream)
    }

    @Test("does what the store does when no fault was added")
    func transparent() async throws {
        try await append()
        #expect(store.payloadForm == .value)
        #expect(try await store.read(stream, from: .zero, direction: .forward, limit: 10).count == 1)
        #expect(store.callCount(of: .append) == 1)
        #expect(store.callCount(of: .read) == 1)
        #expect(store.callCount(of: .trim) == 0)
    }

    @Test("the next calls fail before anything happened")
    func nextCalls() async throws {
        store.fail(.append, with: unavailable, on: .nextCalls(2))
        #expect(await outcomes(of: 4) == [.storeUnavailable, .storeUnavailable, nil, nil])
        #expect(try await length() == 2)
        #expect(store.callCount(of: .append) == 4)
    }

    @Test("every third call fails")
    func everyThird() async throws {
        store.fail(.append, with: unavailable, on: .every(3))
        let failed = EventStreamingError.Code.storeUnavailable
        #expect(await outcomes(of: 7) == [nil, nil, failed, nil, nil, failed, nil])
    }

    @Test("numbers below 1 are safe")
    func hostileFrequencies() async throws {
        store.fail(.append, with: unavailable, on: .nextCalls(.min))
        #expect(await outcomes(of: 1) == [nil])
        store.fail(.append, with: unavailable, on: .every(0))
        #expect(await outcomes(of: 1) == [.storeUnavailable])
    }

    @Test("all calls fail until the store is healed")
    func always() async throws {
        store.fail(.append, with: unavailable)
        #expect(await outcomes(of: 2) == [.storeUnavailable, .storeUnavailable])
        store.heal(.read)
        #expect(await outcomes(of: 1) == [.storeUnavailable])
        store.heal(.append)
        #expect(await outcomes(of: 1) == [nil])
    }

    @Test("an answer can be lost after the effect")
    func lostAnswer() async throws {
        store.fail(.append, with: EventStreamingError(.timedOut, "No answer."), on: .nextCalls(1), effect: .after)
        #expect(await outcomes(of: 1) == [.timedOut])
        #expect(try await length() == 1)
    }

    @Test("the first fault that applies decides")
    func twoFaults() async throws {
        store.fail(.append, with: EventStreamingError(.timedOut, "No answer."), on: .every(2))
        store.fail(.append, with: unavailable)
        #expect(await outcomes(of: 3) == [.storeUnavailable, .timedOut, .storeUnavailable])
    }

    @Test("a group of appends fails as a whole")
    func group() async throws {
        store.fail(.appendGroup, with: unavailable, on: .nextCalls(1))
        let results = await store.append([
            StreamAppend(stream: stream, events: []), StreamAppend(stream: stream, events: []),
        ])
        #expect(results.count == 2)
        for result in results {
            #expect(throws: EventStreamingError.self) { try result.get() }
        }
        #expect(store.callCount(of: .appendGroup) == 1)
    }

    @Test("a held call has no effect until it is released")
    func holdBefore() async throws {
        let gate = store.hold(.append, on: .nextCalls(1))
        let task = Task { try await append() }
        try await gate.waitForArrivals(1)
        #expect(gate.waitingCount == 1)
        #expect(try await length() == 0)
        try await append()
        #expect(try await length() == 1)
        gate.release()
        try await task.value
        #expect(try await length() == 2)
        #expect(gate.arrivals == 1)
    }

    @Test("a call can be held after its effect")
    func holdAfter() async throws {
        let gate = store.hold(.append, effect: .after)
        let task = Task { try await append() }
        try await gate.waitForArrivals(1)
        #expect(try await length() == 1)
        store.heal()
        try await task.value
        try await append()
        #expect(gate.waitingCount == 0)
    }

    @Test("a held call is cancelled before its effect, and goes on after it")
    func cancelHeld() async throws {
        for effect in [FaultInjectingStore.Effect.before, .after] {
            let before = try await length()
            let gate = store.hold(.append, effect: effect)
            let task = Task { await outcomes(of: 1) }
            try await gate.waitForArrivals(1)
            task.cancel()
            #expect(await task.value == [effect == .before ? .cancelled : nil])
            #expect(try await length() == before + (effect == .before ? 0 : 1))
            #expect(gate.waitingCount == 0)
            store.heal()
        }
    }

    @Test("waiting for arrivals can be cancelled")
    func cancelWaiting() async {
        let gate = store.hold(.append)
        let task = Task { try await gate.waitForArrivals(1) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("releasing and cancelling at the same time answers every call exactly once")
    func racing() async throws {
        for _ in 0..<100 {
            let gate = store.hold(.metadata)
            let tasks = (0..<4).map { _ in Task { _ = try? await store.metadata(of: stream) } }
            let canceller = Task {
                for task in tasks {
                    task.cancel()
                }
            }
            gate.release()
            await canceller.value
            for task in tasks {
                await task.value
            }
            #expect(gate.waitingCount == 0)
            store.heal()
        }
    }

    @Test("every operation can fail")
    func everyOperation() async throws {
        for operation in FaultInjectingStore.Operation.allCases {
            store.fail(operation, with: unavailable)
        }
        let id = try SubscriptionID("mailer")
        let consumer = try ConsumerID("c1")
        let registration = ConsumerRegistration(subscription: id, consumer: consumer, epoch: 1)
        let processor = try ProcessorID("mailer")
        let event = MessageID(high: 1, low: 1)
        let calls: [(FaultInjectingStore.Operation, () async throws -> Void)] = [
            (.createStream, { try await store.createStream(StreamDefinition(name: stream, type: .ephemeral)) }),
            (.append, { try await append() }),
            (.transaction, { try await store.withTransaction { _ in } }),
            (.read, { _ = try await store.read(stream, from: .zero, direction: .forward, limit: 1) }),
            (.metadata, { _ = try await store.metadata(of: stream) }),
            (.offset, { _ = try await store.offset(of: .latest, in: stream) }),
            (.trim, { _ = try await store.trim(stream, before: .zero) }),
            (.applyRetention, { _ = try await store.applyRetention(to: stream) }),
            (.dequeue, { _ = try await store.dequeue(as: registration, limit: 1) }),
            (.settle, { try await store.settle(Settlement(of: registration, leaseEpoch: 1)) }),
            (
                .createSubscription,
                { try await store.createSubscription(SubscriptionDefinition(id: id, stream: stream, mode: .broadcast)) }
            ),
            (.createConsumer, { try await store.createConsumer(consumer, of: id, start: nil) }),
            (
                .registerConsumer,
                { _ = try await store.registerConsumer(consumer, of: id, kind: .durable, start: nil) }
            ),
            (.unregisterConsumer, { try await store.unregisterConsumer(registration) }),
            (.removeConsumer, { _ = try await store.removeConsumer(consumer, of: id) }),
            (.heartbeat, { try await store.heartbeat(registration, extending: .all) }),
            (.expireConsumers, { _ = try await store.expireConsumers() }),
            (.consumers, { _ = try await store.consumers(of: id) }),
            (.progress, { _ = try await store.progress(of: id) }),
            (.setOffset, { _ = try await store.setOffset(.zero, of: nil, in: id, epoch: 0) }),
            (.positions, { _ = try await store.positions(of: id) }),
            (.deadLetters, { _ = try await store.deadLetters(of: id, from: .zero, limit: 1) }),
            (.redrivable, { _ = try await store.redrivable([], of: id) }),
            (.redrive, { _ = try await store.redrive(.zero..<StreamOffset(1), of: id) }),
            (.discard, { _ = try await store.discard([], of: id, by: AuditNote(by: "ada", because: "")) }),
            (.deadLetterAudit, { _ = try await store.deadLetterAudit(of: id, from: 0, limit: 1) }),
            (.partitions, { _ = try await store.partitions(of: id) }),
            (.repartition, { try await store.repartition(id, into: 4) }),
            (.wasProcessed, { _ = try await store.wasProcessed([event], by: processor) }),
            (.markProcessed, { _ = try await store.markProcessed([event], by: processor, at: nil) }),
            (.forgetProcessed, { _ = try await store.forgetProcessed([event], by: processor) }),
            (.acquireLocks, { _ = try await store.tryAcquireLocks([IdempotencyKey("k")], for: .seconds(1)) }),
            (.releaseLocks, { _ = try await store.releaseLocks([]) }),
            (
                .claim,
                { _ = try await store.claim([event], by: processor, locking: IdempotencyKey("k"), for: .seconds(1)) }
            ),
            (.cleanup, { _ = try await store.cleanup(olderThan: Timestamp(nanosecondsSinceEpoch: 0), limit: 1) }),
            (.markDelivered, { try await store.markDelivered([], to: consumer, of: id) }),
            (.markRead, { _ = try await store.markRead(.unread(before: nil), by: consumer, of: id) }),
            (.unreadCount, { _ = try await store.unreadCount(of: consumer, in: id) }),
            (.unreadReceipts, { _ = try await store.unreadReceipts(of: consumer, in: id, from: .zero, limit: 1) }),
            (.receipts, { _ = try await store.receipts(for: .zero, in: id, after: nil, limit: 1) }),
            (.expiredUnreadReceipts, { _ = try await store.expiredUnreadReceipts(of: id, after: .zero, limit: 1) }),
            (.expireUnread, { _ = try await store.expireUnread(of: id, after: .zero, policy: .drop, limit: 1) }),
            (.cleanUpReceipts, { _ = try await store.cleanUpReceipts(of: id, limit: 1) }),
        ]
        #expect(calls.count == FaultInjectingStore.Operation.allCases.count - 1)
        for (operation, call) in calls {
            let before = store.callCount(of: operation)
            let error = await #expect(throws: EventStreamingError.self) { try await call() }
            #expect(error?.code == .storeUnavailable, "\(operation)")
            #expect(store.callCount(of: operation) == before + 1)
        }
    }
}

extension FaultInjectingStore {
    /// The number of events in a stream, whatever faults there are.
    fileprivate func base(metadataOf stream: StreamName) async throws -> Int {
        try await metadata(of: stream).count
    }
}
