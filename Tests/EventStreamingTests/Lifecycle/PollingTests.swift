import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("A store whose hints get lost", .timeLimit(.minutes(5)))
struct PollingTests {
    private static let policy = PollingPolicy(shortestInterval: .milliseconds(100), longestInterval: .seconds(1))
    private let clock = ManualClock()

    private func makeStore(polling: PollingPolicy? = policy) -> FaultInjectingStore {
        FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock), polling: polling)
    }

    /// Begins a loop whose consumer has nothing to do, calls `body`, and returns what the loop got then.
    private func consume(
        _ count: Int,
        from store: FaultInjectingStore,
        _ body: @escaping @Sendable (EventStreaming) async throws -> Void
    ) async throws -> [Seen] {
        let streaming = try makeOrders(storage: .shared(store), clock: clock, mail: { $0.mode = .exclusive })
        return try await streaming.withSubscription(to: "mail", as: "c1") { subscription in
            try await withThrowingTaskGroup(of: [Seen].self) { group in
                group.addTask { try await subscription.take(count) }
                group.addTask {
                    try await body(streaming)
                    return []
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
        }
    }

    private func waitForQuestions(_ count: Int, of store: FaultInjectingStore) async throws {
        try await inTime(.seconds(60), "\(store.callCount(of: .dequeue)) and not \(count) questions") {
            while store.callCount(of: .dequeue) < count {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }

    @Test("is asked less and less often while there is nothing, and often again after there was something")
    func backingOff() async throws {
        let (store, clock) = (makeStore(), clock)
        store.loseHints()
        let seen = try await consume(2, from: store) { streaming in
            var questions = 1
            try await waitForQuestions(questions, of: store)
            func expectNextQuestion(after milliseconds: Int) async throws {
                try await inTime { try await clock.waitForSleepers(1) }
                clock.advance(by: .milliseconds(milliseconds) - .nanoseconds(1))
                try await inTime { try await clock.waitForSleepers(1) }
                #expect(store.callCount(of: .dequeue) == questions, "a question before \(milliseconds) ms")
                clock.advance(by: .nanoseconds(1))
                questions += 1
                try await waitForQuestions(questions, of: store)
            }
            for milliseconds in [100, 200, 400, 800, 1000, 1000, 1000] {
                try await expectNextQuestion(after: milliseconds)
            }
            try await streaming.place(1...1)
            #expect(store.callCount(of: .dequeue) == questions)
            try await expectNextQuestion(after: 1000)
            // The one that came of it is followed at once by another one, of which nothing comes.
            questions += 1
            try await waitForQuestions(questions, of: store)
            try await expectNextQuestion(after: 100)
            try await expectNextQuestion(after: 200)
            try await streaming.place(2...2)
            try await expectNextQuestion(after: 400)
        }
        #expect(seen == [1, 2].seen)
    }

    @Test("a hint that arrives is followed at once")
    func hints() async throws {
        let store = makeStore()
        let seen = try await consume(2, from: store) { streaming in
            try await waitForQuestions(1, of: store)
            try await streaming.place(1...1)
            // The clock stands still.
            try await waitForQuestions(3, of: store)
            try await streaming.place(2...2)
        }
        #expect(seen == [1, 2].seen)
    }

    @Test("is not asked without a hint when it says that none is lost")
    func noPolling() async throws {
        let (store, clock) = (makeStore(polling: nil), clock)
        let seen = try await consume(1, from: store) { streaming in
            try await waitForQuestions(1, of: store)
            // Only for the sign of life that the consumer gives by itself.
            try await inTime { try await clock.waitForSleepers(1) }
            #expect(clock.nextDeadline == .seconds(10))
            try await streaming.place(1...1)
        }
        #expect(seen == [1].seen)
    }

    @Test("handlers get everything, however many hints are lost", arguments: [1, 2, 3])
    func handlers(step: Int) async throws {
        let store = makeStore()
        store.loseHints(on: .every(step))
        let recorder = DeliveryRecorder()
        try await withTestEventStreaming(storage: .shared(store), clock: clock) { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.addSubscription("mail") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.handle(recorder.record)
            }
        } _: { streaming, clock in
            for number in 1...20 {
                try await streaming.place(number...number)
                try await streaming.settled(advancing: clock, byAtMost: .seconds(60))
            }
            #expect(try await streaming.position()?.position == StreamOffset(20))
        }
    }
}
