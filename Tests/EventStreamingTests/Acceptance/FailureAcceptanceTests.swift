import EventStreaming
import EventStreamingTesting
import Synchronization
import Testing

@Suite("Failures: redelivery, dead letters, late acknowledgements", .timeLimit(.minutes(5)))
struct FailureAcceptanceTests {
    private func retry(_ attempts: Int) -> RetryPolicy {
        var retry = RetryPolicy()
        retry.maximumAttempts = attempts
        retry.initialDelay = .seconds(1)
        retry.jitter = 0
        return retry
    }

    @Test func aPoisonEventIsRetriedWithBackOffAndGivenUpWhileOthersPass() async throws {
        let recorder = DeliveryRecorder { delivery in
            if delivery.event(as: OrderPlaced.self)?.number == 3 { throw Failure(reason: "three") }
        }
        try await withTestEventStreaming { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("orders") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.retry = retry(3)
                subscription.handle { try await recorder.record($0) }
            }
        } _: { streaming, clock in
            let began = clock.uptime
            try await streaming.emitter.emit((1...5).map { OrderPlaced(number: $0) })
            try await streaming.settled(advancing: clock)
            let attempts = recorder.deliveries.filter { $0.event(as: OrderPlaced.self)?.number == 3 }.map(\.attempt)
            #expect(attempts == [1, 2, 3])
            #expect(recorder.events(of: OrderPlaced.self).map(\.number).prefix(5) == [1, 2, 3, 4, 5])
            #expect(clock.uptime - began >= .seconds(3))
            let letters = try await streaming.deadLetters(of: "orders")
            #expect(letters.count == 1)
            #expect(letters[0].attempts == 3)
            #expect(letters[0].event.offset == StreamOffset(2))
            #expect(letters[0].reason.contains("three"))
            #expect(try await streaming.read("orders-dead-letters").count == 1)
        }
    }

    @Test func aRedrivenDeadLetterIsDeliveredAgainAsAFirstAttempt() async throws {
        let isBroken = Mutex(true)
        @Sendable func fails() -> Bool { isBroken.withLock { $0 } }
        try await withRedriveService(isBroken: fails) { streaming, clock, recorder in
            try await streaming.emitter.emit(OrderPlaced(number: 1))
            try await streaming.settled(advancing: clock)
            #expect(try await streaming.deadLetters(of: "orders").count == 1)
            isBroken.withLock { $0 = false }
            #expect(try await streaming.redriveDeadLetters(of: "orders") == 1)
            try await streaming.settled(advancing: clock)
            #expect(recorder.deliveries.last?.attempt == 1)
            #expect(try await streaming.deadLetters(of: "orders").isEmpty)
        }
    }

    private func withRedriveService(
        isBroken: @escaping @Sendable () -> Bool,
        _ body: @escaping @Sendable (EventStreaming, ManualClock, DeliveryRecorder) async throws -> Void
    ) async throws {
        let recorder = DeliveryRecorder { _ in
            if isBroken() { throw Failure() }
        }
        try await withTestEventStreaming { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("orders") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .exclusive
                subscription.retry = retry(2)
                subscription.handle { try await recorder.record($0) }
            }
        } _: { streaming, clock in
            try await body(streaming, clock, recorder)
        }
    }

    private func makeExclusive(_ clock: ManualClock) throws -> EventStreaming {
        try EventStreaming { streaming in
            streaming.options.clock = clock
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("orders") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .exclusive
                subscription.visibilityTimeout = .seconds(10)
            }
        }
    }

    @Test func aLateAcknowledgementIsRefusedAndChangesNothing() async throws {
        let clock = ManualClock()
        let streaming = try makeExclusive(clock)
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        for try await late in try streaming.subscribe(to: "orders", as: "slow") {
            clock.advance(by: .seconds(11))
            await #expect(throws: EventStreamingError.self) { try await late.acknowledge() }
            break
        }
        for try await delivery in try streaming.subscribe(to: "orders", as: "quick") {
            #expect(delivery.attempt == 2)
            try await delivery.acknowledge()
            let error = await #expect(throws: EventStreamingError.self) { try await delivery.acknowledge() }
            #expect([.alreadySettled, .leaseExpired].contains(error?.code))
            break
        }
        #expect(try await streaming.progress(of: "orders").map(\.isFinished) == [true])
    }

    @Test func acknowledgingTwiceIsAnError() async throws {
        let streaming = try makeExclusive(ManualClock())
        try await streaming.emitter.emit([OrderPlaced(number: 1), OrderPlaced(number: 2)])
        for try await delivery in try streaming.subscribe(to: "orders", as: "one") {
            try await delivery.acknowledge()
            let error = await #expect(throws: EventStreamingError.self) { try await delivery.reject() }
            #expect(error?.code == .alreadySettled)
            break
        }
    }

    @Test func aSecondConsumerOfTheSameNameTakesOver() async throws {
        let streaming = try makeExclusive(ManualClock())
        try await streaming.emitter.emit([OrderPlaced(number: 1), OrderPlaced(number: 2)])
        var first = try streaming.subscribe(to: "orders", as: "one").makeAsyncIterator()
        let held = try await first.next()
        var second = try streaming.subscribe(to: "orders", as: "one").makeAsyncIterator()
        _ = try await second.next()
        let error = await #expect(throws: EventStreamingError.self) { try await held?.acknowledge() }
        #expect(error?.code == .consumerReplaced || error?.code == .leaseExpired)
    }

    @Test func rejectingSendsToTheDeadLettersWhenAsked() async throws {
        let streaming = try makeExclusive(ManualClock())
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        for try await delivery in try streaming.subscribe(to: "orders", as: "one") {
            try await delivery.reject(.deadLetter, reason: "no such customer")
            break
        }
        #expect(try await streaming.deadLetters(of: "orders").map(\.reason) == ["no such customer"])
    }
}
