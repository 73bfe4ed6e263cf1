import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import InMemoryLogging
import Logging
import Testing

@Suite("Positions", .timeLimit(.minutes(5)))
struct PositionTests {
    private let clock = ManualClock()

    private func makeService(_ mode: SubscriptionMode = .exclusive) throws -> EventStreaming {
        try makeOrders(clock: clock, mail: { $0.mode = mode })
    }

    @Test("a position that was moved back delivers again")
    func back() async throws {
        let streaming = try makeService()
        try await streaming.place(1...5)
        #expect(try await streaming.take(5, as: "c1") == (1...5).seen)
        #expect(try await streaming.setPosition(of: "mail", to: .offset(StreamOffset(2))) == StreamOffset(2))
        #expect(try await streaming.take(3, as: "c1") == [3, 4, 5].seen)
    }

    @Test("a position can be moved to a time, to the end and to the beginning")
    func everywhere() async throws {
        let streaming = try makeService()
        try await streaming.place(1...2)
        clock.advance(by: .seconds(10))
        try await streaming.place(3...4)
        #expect(try await streaming.setPosition(of: "mail", to: .timestamp(clock.now)) == StreamOffset(2))
        #expect(try await streaming.setPosition(of: "mail", to: .latest) == StreamOffset(4))
        #expect(try await streaming.positions(of: "mail").map(\.offset) == [StreamOffset(4)])
        #expect(try await streaming.setPosition(of: "mail", to: .beginning) == .zero)
        #expect(try await streaming.take(4, as: "c1") == (1...4).seen)
    }

    @Test("in broadcast mode one consumer's position is moved")
    func broadcast() async throws {
        let streaming = try makeService(.broadcast)
        try await streaming.place(1...3)
        for name in ["a", "b"] {
            #expect(try await streaming.take(3, as: name) == (1...3).seen)
        }
        try await streaming.setPosition(of: "mail", consumer: "b", to: .offset(StreamOffset(1)))
        #expect(try await streaming.positions(of: "mail").map(\.offset.rawValue) == [3, 1])
        #expect(try await streaming.take(2, as: "b") == [2, 3].seen)
    }

    @Test("a loop that is at work goes on at the new position")
    func whileConsuming() async throws {
        let streaming = try makeService()
        try await streaming.place(1...3)
        var numbers: [Int] = []
        for try await delivery in try streaming.subscribe(to: "mail", as: "c1") {
            numbers.append(delivery.number)
            if numbers == [1, 2, 3] {
                try await streaming.setPosition(of: "mail", to: .beginning)
            }
            if numbers.count == 6 { break }
        }
        #expect(numbers == [1, 2, 3, 1, 2, 3])
    }

    @Test("is refused with an epoch that somebody has overtaken, and for what is not there")
    func refused() async throws {
        let streaming = try makeService()
        let epoch = try #require(try await streaming.positions(of: "mail").first).epoch
        try await streaming.place(1...2)
        _ = try await streaming.take(1, as: "c1")
        func code(_ subscription: String, _ consumer: String? = nil, epoch: UInt64? = nil) async
            -> EventStreamingError.Code?
        {
            await errorCode {
                try await streaming.setPosition(of: subscription, consumer: consumer, to: .beginning, epoch: epoch)
            }
        }
        #expect(await code("mail", epoch: epoch) == .consumerReplaced)
        #expect(await code("mail", "c1") == .unknownConsumer)
        #expect(await code("mail", "c 1") == .invalidName)
        #expect(await code("nobody") == .unknownSubscription)
        #expect(try await streaming.positions(of: "mail").map(\.offset.rawValue) == [1])
    }

    @Test("deliveries, positions and the log tell of events that were removed too early")
    func missed() async throws {
        let log = InMemoryLogHandler()
        let streaming = try makeOrders(
            clock: clock,
            mail: { $0.mode = .exclusive },
            also: { $0.options.logger = Logger(label: "test") { _ in log } }
        )
        try await streaming.place(1...2)
        var missed: [Int] = []
        for try await delivery in try streaming.subscribe(to: "mail", as: "c1") {
            missed.append(delivery.missedEvents)
            if delivery.number == 2 {
                // Recorded, so that it is not missed itself.
                try await delivery.acknowledge()
                try await streaming.place(3...9)
                try await streaming.trim("order-events", before: StreamOffset(7))
            }
            if delivery.number == 9 { break }
        }
        #expect(missed == [0, 0, 5, 5])
        #expect(try await streaming.position()?.missed == 5)
        let warnings = log.entries.filter { $0.level == .warning }
        #expect(warnings.count == 1)
        #expect(warnings.first?.metadata["count"] == "5")
    }
}
