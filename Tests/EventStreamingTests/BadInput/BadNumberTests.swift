import EventStreaming
import Testing

@Suite("Numbers from outside", .timeLimit(.minutes(5)))
struct BadNumberTests {
    private let streaming: EventStreaming

    init() throws {
        streaming = try Workbench.service { streaming in
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
        }
    }

    private func numbers(
        from offset: StreamOffset,
        _ direction: ReadDirection = .forward,
        limit: Int = 100
    ) async throws -> [Int?] {
        let events = try await streaming.read(Workbench.orders, from: offset, direction: direction, limit: limit)
        return Workbench.values(OrderPlaced.self, in: events).map { $0?.number }
    }

    @Test(arguments: [Int.min, -1, 0, 10_001, Int.max])
    func limitsOutsideOneToTenThousandAreRefused(_ limit: Int) async throws {
        await Workbench.refusal(.invalidArgument, saying: "The limit is \(limit)", "1 to 10000") {
            try await streaming.read(Workbench.orders, limit: limit)
        }
        await Workbench.refusal(.invalidArgument, saying: "The limit is \(limit)") {
            try await streaming.read(Workbench.orders, from: StreamOffset(.max), direction: .backward, limit: limit)
        }
        await Workbench.refusal(.invalidArgument, saying: "The limit is \(limit)", "1 to 10000") {
            try await streaming.deadLetters(of: "mail", limit: limit)
        }
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: [1, 10_000])
    func theLimitsOfTheLimitAreAllowed(_ limit: Int) async throws {
        try await streaming.emitter.emit((1...3).map { OrderPlaced(number: $0) })
        #expect(try await numbers(from: .zero, limit: limit) == Array([1, 2, 3].prefix(limit)))
        #expect(try await streaming.deadLetters(of: "mail", limit: limit).isEmpty)
    }

    @Test(arguments: [Int64.min, -1, 0])
    func aNegativeOffsetIsTheBeginning(_ value: Int64) async throws {
        try await streaming.emitter.emit((1...3).map { OrderPlaced(number: $0) })
        #expect(try await numbers(from: StreamOffset(value)) == [1, 2, 3])
        #expect(try await numbers(from: StreamOffset(value), .backward) == [1])
        #expect(try await streaming.trim(Workbench.orders, before: StreamOffset(value)) == 0)
        #expect(try await streaming.deadLetters(of: "mail", from: StreamOffset(value)).isEmpty)
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: [3, 4, Int64.max - 1, .max])
    func anOffsetBeyondTheEndHasNothingAfterIt(_ value: Int64) async throws {
        try await streaming.emitter.emit((1...3).map { OrderPlaced(number: $0) })
        #expect(try await numbers(from: StreamOffset(value)).isEmpty)
        #expect(try await numbers(from: StreamOffset(value), .backward) == [3, 2, 1])
        #expect(try await streaming.deadLetters(of: "mail", from: StreamOffset(value), limit: 10_000).isEmpty)
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: [3, 4, Int64.max])
    func trimmingBeyondTheEndRemovesWhatThereIs(_ value: Int64) async throws {
        try await streaming.emitter.emit((1...3).map { OrderPlaced(number: $0) })
        #expect(try await streaming.trim(Workbench.orders, before: StreamOffset(value)) == 3)
        let metadata = try await streaming.metadata(of: Workbench.orders)
        #expect(metadata.head == StreamOffset(3) && metadata.first == StreamOffset(3) && metadata.bytes == 0)
        #expect(try await streaming.trim(Workbench.orders, before: StreamOffset(value)) == 0)
        try await Workbench.expectWorking(streaming)
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(4))
    }

    @Test func readingWhatWasTrimmedIsToldInsteadOfSkipped() async throws {
        try await streaming.emitter.emit((1...3).map { OrderPlaced(number: $0) })
        #expect(try await streaming.trim(Workbench.orders, before: StreamOffset(2)) == 2)
        await Workbench.refusal(.offsetTrimmed, saying: Workbench.orders) { try await streaming.read(Workbench.orders) }
        #expect(try await numbers(from: StreamOffset(2)) == [3])
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: [0..<0, 0..<1, 0..<Int64.max, 5..<6, Int64.max - 1..<Int64.max])
    func redrivingDeadLettersThatDoNotExistRedrivesNone(_ range: Range<Int64>) async throws {
        let numbers = StreamOffset(range.lowerBound)..<StreamOffset(range.upperBound)
        #expect(try await streaming.redriveDeadLetters(of: "mail", numbers) == 0)
        #expect(try await streaming.redriveDeadLetters(of: "mail") == 0)
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: [
        StartPosition.offset(StreamOffset(.max)), .timestamp(Timestamp(nanosecondsSinceEpoch: .max)), .latest,
    ])
    func startingBeyondTheEndMeansTheNextEvent(_ start: StartPosition) async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        try await streaming.withSubscription(to: "mail", from: start) { deliveries in
            try await streaming.emitter.emit(OrderPlaced(number: 2))
            let first = try await deliveries.first { _ in true }
            #expect(first?.event(as: OrderPlaced.self)?.number == 2)
        }
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: [
        StartPosition.offset(StreamOffset(.min)), .timestamp(Timestamp(nanosecondsSinceEpoch: .min)), .beginning,
    ])
    func startingBeforeTheBeginningMeansTheFirstEvent(_ start: StartPosition) async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        try await streaming.withSubscription(to: "mail", from: start) { deliveries in
            let first = try await deliveries.first { _ in true }
            #expect(first?.event(as: OrderPlaced.self)?.number == 1)
        }
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: [Duration.seconds(Int64.min), .seconds(-1), .seconds(366 * 86_400), .seconds(Int64.max)])
    func aRetryDelayOutsideZeroToAYearIsRefusedAndTheDeliveryStaysOpen(_ delay: Duration) async throws {
        try await streaming.emitter.emit([OrderPlaced(number: 1), OrderPlaced(number: 2)])
        try await streaming.withSubscription(to: "mail", as: "mailer") { deliveries in
            var next = deliveries.makeAsyncIterator()
            let delivery = try #require(try await next.next())
            await Workbench.refusal(.invalidArgument, saying: "delay of a retry") {
                try await delivery.reject(.retry(after: delay), reason: "again")
            }
            try await delivery.reject(.deadLetter, reason: "another way")
            #expect(try await next.next()?.event(as: OrderPlaced.self)?.number == 2)
        }
        #expect(try await streaming.deadLetters(of: "mail").map(\.reason) == ["another way"])
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: [Duration.zero, .nanoseconds(1)])
    func aRetryDelayOfNothingIsAtOnce(_ delay: Duration) async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        try await streaming.withSubscription(to: "mail") { deliveries in
            for try await delivery in deliveries {
                #expect(delivery.event(as: OrderPlaced.self)?.number == 1)
                if delivery.attempt == 2 { break }
                try await delivery.reject(.retry(after: delay), reason: "again")
            }
        }
    }

    @Test func aRetryDelayOfAYearKeepsOnlyThisEventBack() async throws {
        try await streaming.emitter.emit([OrderPlaced(number: 1), OrderPlaced(number: 2)])
        try await streaming.withSubscription(to: "mail") { deliveries in
            for try await delivery in deliveries {
                if delivery.event(as: OrderPlaced.self)?.number == 2 { break }
                try await delivery.reject(.retry(after: .seconds(365 * 86_400)), reason: "later")
            }
        }
        try await Workbench.expectWorking(streaming)
    }

    @Test func aHandlerThatAsksForABadDelayFailsAndItsEventIsNotLost() async throws {
        let streaming = try Workbench.service { streaming in
            streaming.addSubscription("post") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.retry.maximumAttempts = 1
                subscription.handle { try await $0.reject(.retry(after: .seconds(-1)), reason: "again") }
            }
            streaming.addSubscription("alarm") { $0.stream("post-dead-letters") }
        }
        try await withEventStreaming(streaming) { streaming in
            try await streaming.emitter.emit(OrderPlaced(number: 1))
            try await streaming.withSubscription(to: "alarm") { letters in
                let letter = try await letters.first { _ in true }
                #expect(letter?.event(as: OrderPlaced.self)?.number == 1)
            }
        }
        #expect(try await streaming.deadLetters(of: "post").first?.reason.contains("delay of a retry") == true)
    }

    @Test func aReasonOfAnyLengthAndFormIsKeptShortened() async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        try await streaming.withSubscription(to: "mail", as: "mailer") { deliveries in
            for try await delivery in deliveries {
                let reason = "\u{1B}[31m\n\0🙂" + String(repeating: "x", count: 1_000_000)
                try await delivery.reject(.deadLetter, reason: reason)
                break
            }
        }
        let letter = try #require(try await streaming.deadLetters(of: "mail").first)
        #expect(letter.reason.count <= Rejection.maximumReasonLength && letter.reason.contains("🙂"))
        try await Workbench.expectWorking(streaming)
    }
}
