import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("settled(advancing:)", .timeLimit(.minutes(5)))
struct SettledAdvancingTests {
    private static let invited = UserInvited(email: "ada")

    @Test("passes over the back-off of a failing handler", arguments: [SubscriptionMode.exclusive, .broadcast])
    func backOff(mode: SubscriptionMode) async throws {
        let recorder = DeliveryRecorder { delivery in
            if delivery.attempt < 4 { throw InvitationError(reason: "busy") }
        }
        try await withTestEventStreaming { streaming in
            streaming.addStream(InvitationWorkflow.self)
            streaming.follow("mail", mode, recorder)
        } _: { streaming, clock in
            try await streaming.emitter.emit(Self.invited)
            try await streaming.settled(advancing: clock)
            #expect(recorder.deliveries.map(\.attempt) == [1, 2, 3, 4])
            #expect(clock.uptime >= .seconds(7) && clock.uptime <= .seconds(12))
        }
    }

    @Test("without advancing, the retry is named, and how far the clock must go")
    func waiting() async throws {
        let recorder = DeliveryRecorder { delivery in
            if delivery.attempt < 2 { throw InvitationError(reason: "busy") }
        }
        try await withTestEventStreaming { streaming in
            streaming.addStream(InvitationWorkflow.self)
            streaming.follow("mail", .exclusive, recorder)
        } _: { streaming, clock in
            try await streaming.emitter.emit(Self.invited)
            try await recorder.waitFor(count: 1)
            // The housekeeping, and the handler, which waits for the retry.
            try await clock.waitForSleepers(2)
            let text = await message(of: SettlingError.self) { try await streaming.settled(within: .milliseconds(20)) }
            #expect(text?.contains("subscription 'mail': 1 behind, 1 waiting to be delivered again\n") == true)
            #expect(text?.contains("advance it by 1.0 seconds to its nextDeadline") == true)
            clock.advance(by: .seconds(1))
            try await streaming.settled()
        }
    }

    @Test("settles when the event was given up to the dead letters")
    func deadLettered() async throws {
        let recorder = DeliveryRecorder { _ in throw InvitationError(reason: "no such user") }
        try await withTestEventStreaming { streaming in
            streaming.addStream(InvitationWorkflow.self)
            streaming.follow("mail", .exclusive, recorder) { $0.retry.maximumAttempts = 3 }
        } _: { streaming, clock in
            try await streaming.emitter.emit(Self.invited)
            try await streaming.settled(advancing: clock)
            let letters = try await streaming.deadLetters(of: "mail")
            #expect(letters.map(\.attempts) == [3])
            #expect(letters.first?.reason.contains("no such user") == true)
        }
    }

    @Test("nobody expires while a long back-off passes, with or without housekeeping", arguments: [true, false])
    func longBackOff(isRunning: Bool) async throws {
        let clock = ManualClock()
        let streaming = try EventStreaming(storage: .inMemory) { streaming in
            streaming.options.clock = clock
            streaming.addStream(InvitationWorkflow.self)
            streaming.follow("mail") { $0.retry.initialDelay = .seconds(300) }
            streaming.follow("idle", .broadcast)
        }
        @Sendable func test(_ streaming: EventStreaming) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await delivery in try streaming.subscribe(to: "mail", as: "ada") where delivery.attempt == 1
                    {
                        try await delivery.reject()
                    }
                }
                group.addTask {
                    // Temporary: it would end with an error if it expired.
                    for try await _ in try streaming.subscribe(to: "idle") {}
                }
                try await streaming.emitter.emit(Self.invited)
                try await streaming.settled("mail", advancing: clock)
                let registrations = try await streaming.consumers(of: "mail").map(\.registeredAt)
                #expect(registrations == [ManualClock().now])
                #expect(clock.uptime >= .seconds(300) && clock.uptime < .seconds(311))
                group.cancelAll()
                while let result = await group.nextResult() {
                    guard case .failure(let error as EventStreamingError) = result else { continue }
                    #expect(error.code == .cancelled)
                }
            }
        }
        if isRunning {
            try await withEventStreaming(streaming, test)
        } else {
            try await test(streaming)
        }
    }

    @Test("stops at the limit, and says so")
    func limit() async throws {
        let recorder = DeliveryRecorder { _ in throw InvitationError(reason: "busy") }
        try await withTestEventStreaming { streaming in
            streaming.addStream(InvitationWorkflow.self)
            streaming.follow("mail", .exclusive, recorder) { $0.retry.maximumAttempts = 1_000 }
        } _: { streaming, clock in
            try await streaming.emitter.emit(Self.invited)
            let text = await message(of: SettlingError.self) {
                try await streaming.settled(advancing: clock, byAtMost: .seconds(60), within: .seconds(50))
            }
            #expect(text?.contains("although the clock was advanced by 60.0 seconds") == true)
            #expect(text?.contains("1 waiting to be delivered again") == true)
            #expect(clock.uptime <= .seconds(60) && clock.uptime > .seconds(20))
        }
    }

    @Test("passes over the time that a handler waits for a store that failed")
    func storeFailure() async throws {
        let (clock, recorder) = (ManualClock(), DeliveryRecorder())
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
        let storage = EventStreamingStorage { _ in store }
        try await withTestEventStreaming(storage: storage, clock: clock) { streaming in
            streaming.addStream(InvitationWorkflow.self)
            streaming.follow("mail", .exclusive, recorder)
            store.fail(.dequeue, with: EventStreamingError(.storeUnavailable, "Gone."), on: .nextCalls(5))
        } _: { streaming, clock in
            try await streaming.emitter.emit(Self.invited)
            try await streaming.settled(advancing: clock)
            #expect(recorder.events(of: UserInvited.self) == [Self.invited])
            #expect(clock.uptime > .seconds(1))
        }
    }

    @Test("does not advance while an event is in flight")
    func inFlight() async throws {
        let recorder = DeliveryRecorder()
        try await withTestEventStreaming { streaming in
            streaming.addStream(InvitationWorkflow.self)
            let clock = streaming.options.clock
            streaming.follow("mail") { subscription in
                subscription.handle { delivery in
                    try await recorder.record(delivery)
                    try await clock.sleep(until: clock.uptime + .seconds(1))
                }
            }
        } _: { streaming, clock in
            try await streaming.emitter.emit(Self.invited)
            try await recorder.waitFor(count: 1)
            let text = await message(of: SettlingError.self) {
                try await streaming.settled(advancing: clock, within: .milliseconds(30))
            }
            #expect(text?.contains("1 in flight") == true)
            #expect(clock.uptime == .zero)
            try await clock.waitForSleepers(2)
            clock.advance(by: .seconds(1))
            try await streaming.settled()
        }
    }

    @Test("refuses a clock that is not the service's")
    func wrongClock() async throws {
        let streaming = try EventStreaming(storage: .inMemory) { $0.addStream(InvitationWorkflow.self) }
        let error = await #expect(throws: EventStreamingError.self) {
            try await streaming.settled(advancing: ManualClock())
        }
        #expect(error?.code == .invalidArgument)
    }
}
