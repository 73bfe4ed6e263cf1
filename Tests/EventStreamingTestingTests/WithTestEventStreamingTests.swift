import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("withTestEventStreaming", .timeLimit(.minutes(5)))
struct WithTestEventStreamingTests {
    @Test("has a fresh store and a clock of its own each time, and returns what the body returns")
    func fresh() async throws {
        for _ in 0..<2 {
            let count = try await withTestEventStreaming { streaming in
                streaming.addStream(InvitationWorkflow.self) { $0.type = .persistent }
            } _: { streaming, clock in
                try await streaming.emitter.emit(UserInvited(email: "ada"))
                let stored = try await streaming.read("invitation-events")
                #expect(stored.first?.timestamp == clock.now)
                return stored.count
            }
            #expect(count == 1)
        }
    }

    @Test("handlers that begin at the latest event get everything the body emits")
    func handlersMissNothing() async throws {
        for _ in 0..<50 {
            let recorder = DeliveryRecorder()
            try await withTestEventStreaming { streaming in
                streaming.addStream(InvitationWorkflow.self)
                streaming.follow("mail", .broadcast, recorder) { $0.start = .latest }
            } _: { streaming, _ in
                try await streaming.emitter.emit(UserInvited(email: "ada"))
                try await streaming.settled()
            }
            #expect(recorder.deliveries.count == 1)
        }
    }

    @Test("has shut down when it returns, also when the body throws")
    func shutsDown() async throws {
        let streaming = try await withTestEventStreaming { streaming in
            streaming.addStream(InvitationWorkflow.self)
        } _: { streaming, _ in
            streaming
        }
        let error = await #expect(throws: EventStreamingError.self) {
            try await streaming.emitter.emit(UserInvited(email: "ada"))
        }
        #expect(error?.code == .shutDown)
        await #expect(throws: InvitationError(reason: "body")) {
            try await withTestEventStreaming {
                $0.addStream(InvitationWorkflow.self)
            } _: { _, _ in
                throw InvitationError(reason: "body")
            }
        }
    }

    @Test("throws what creating the service throws")
    func invalidConfiguration() async {
        let error = await #expect(throws: EventStreamingError.self) {
            try await withTestEventStreaming {
                $0.follow("mail")
            } _: { _, _ in
            }
        }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("a service that cannot run cancels the body and is what is reported")
    func cannotRun() async {
        let clock = ManualClock()
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
        store.fail(.createStream, with: EventStreamingError(.storeUnavailable, "Gone."))
        let error = await #expect(throws: EventStreamingError.self) {
            try await withTestEventStreaming(storage: EventStreamingStorage { _ in store }, clock: clock) { streaming in
                streaming.addStream(InvitationWorkflow.self)
            } _: { _, _ in
                try await DeliveryRecorder().waitFor(count: 1, within: .seconds(50))
            }
        }
        #expect(error?.code == .storeUnavailable)
    }

    @Test("a handler that waits for the clock is cancelled when its time is over")
    func stuckHandler() async throws {
        let recorder = DeliveryRecorder()
        try await withTestEventStreaming { streaming in
            streaming.options.shutdownTimeout = .milliseconds(20)
            streaming.addStream(InvitationWorkflow.self)
            let clock = streaming.options.clock
            streaming.follow("mail") { subscription in
                subscription.handle { delivery in
                    try await recorder.record(delivery)
                    try await clock.sleep(until: .seconds(1_000_000))
                }
            }
        } _: { streaming, _ in
            try await streaming.emitter.emit(UserInvited(email: "ada"))
            try await recorder.waitFor(count: 1)
        }
        #expect(recorder.deliveries.count == 1)
    }
}
