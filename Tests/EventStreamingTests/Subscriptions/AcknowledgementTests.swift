import EventStreaming
import EventStreamingTesting
import Testing

@Suite("Acknowledging and rejecting", .timeLimit(.minutes(5)))
struct AcknowledgementTests {
    @Test("the loop's next turn acknowledges the one before")
    func onNextTurn() async throws {
        let streaming = try makeOrders(mail: { $0.prefetch = 1 })
        try await streaming.place(1...5)
        var count = 0
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            #expect(try await streaming.position()?.position == StreamOffset(Int64(count)))
            count += 1
            #expect(Seen(delivery) == Seen(count))
            if count == 5 { break }
        }
        await streaming.releaseAbandoned()
        #expect(try await streaming.position()?.position == StreamOffset(4))
        #expect(try await streaming.take(1, as: "a") == [Seen(5, attempt: 2)])
    }

    @Test("an explicit acknowledgement is recorded when it returns")
    func explicit() async throws {
        let streaming = try makeOrders()
        try await streaming.place(1...3)
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            try await delivery.acknowledge()
            let position = try await streaming.position()?.position
            #expect(position == delivery.record.offset.advanced(by: 1))
            if delivery.number == 3 { break }
        }
        #expect(try await streaming.position()?.isFinished == true)
    }

    @Test("out of order, the watermark waits for the first unfinished event")
    func outOfOrder() async throws {
        let streaming = try makeOrders()
        try await streaming.place(1...4)
        for try await batch in try streaming.subscribe(to: "mail", as: "a").batches {
            try await batch[1].acknowledge()
            try await batch[3].acknowledge()
            #expect(try await streaming.position()?.position == .zero)
            try await batch[0].acknowledge()
            #expect(try await streaming.position()?.position == StreamOffset(2))
            try await batch[2].acknowledge()
            #expect(try await streaming.position()?.position == StreamOffset(4))
            break
        }
    }

    @Test("only the first of several settlements has an effect")
    func twice() async throws {
        let streaming = try makeOrders()
        try await streaming.place(1...2)
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            try await delivery.acknowledge()
            #expect(await errorCode { try await delivery.acknowledge() } == .alreadySettled)
            #expect(await errorCode { try await delivery.reject() } == .alreadySettled)
            #expect(await errorCode { try await delivery.reject(.deadLetter) } == .alreadySettled)
            break
        }
        #expect(try await streaming.deadLetters(of: "mail").isEmpty)
        #expect(try await streaming.position()?.position == StreamOffset(1))
        await streaming.releaseAbandoned()
        #expect(try await streaming.take(1, as: "a") == [Seen(2)])
    }

    @Test("of many concurrent settlements exactly one succeeds")
    func concurrently() async throws {
        // However slow the machine is, no lease runs out.
        let streaming = try makeOrders(clock: ManualClock())
        try await streaming.place(1...100)
        var count = 0
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            let codes = await withTaskGroup(of: EventStreamingError.Code?.self) { group in
                for _ in 0..<4 {
                    group.addTask { await errorCode { try await delivery.acknowledge() } }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 1)
            #expect(codes.compactMap { $0 }.allSatisfy { $0 == .alreadySettled || $0 == .leaseExpired })
            count += 1
            if count == 100 { break }
        }
        #expect(try await streaming.position()?.isFinished == true)
    }

    @Test("a rejected event comes again after those that were waiting, or after the delay it was given")
    func rejecting() async throws {
        let clock = ManualClock()
        let streaming = try makeOrders(clock: clock, mail: { $0.retry.jitter = 0 })
        try await streaming.place(1...3)
        let journal = Journal<Seen>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
                    journal.add(Seen(delivery))
                    switch (delivery.number, delivery.attempt) {
                    case (1, 1): try await delivery.reject()
                    case (2, 1): try await delivery.reject(.retry(after: .milliseconds(10)))
                    default: break
                    }
                    if journal.count == 5 {
                        try await delivery.acknowledge()
                        break
                    }
                }
            }
            try await journal.wait(for: 3)
            try await inTime { try await clock.waitForSleepers(1) }
            clock.advance(by: .milliseconds(10))
            #expect(try await journal.wait(for: 4).last == Seen(2, attempt: 2))
            try await inTime { try await clock.waitForSleepers(1) }
            clock.advance(by: .milliseconds(989))
            #expect(journal.count == 4)
            clock.advance(by: .milliseconds(1))
            #expect(try await journal.wait(for: 5).last == Seen(1, attempt: 2))
            try await group.waitForAll()
        }
        #expect(try await streaming.position()?.isFinished == true)
    }

    @Test("after its lease ran out a delivery cannot be settled, and nothing changes", arguments: [false, true])
    func afterExpiry(isRejecting: Bool) async throws {
        let clock = ManualClock()
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.visibilityTimeout = .seconds(10)
                subscription.consumerTimeout = .seconds(100)
            }
        )
        try await streaming.place(1...2)
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            clock.advance(by: .seconds(10))
            let before = try await streaming.position()
            let code = await errorCode {
                if isRejecting {
                    try await delivery.reject(.deadLetter)
                } else {
                    try await delivery.acknowledge()
                }
            }
            #expect(code == .leaseExpired)
            #expect(try await streaming.position() == before)
            #expect(before?.position == .zero)
            #expect(before?.waiting == 2)
            break
        }
        #expect(try await streaming.deadLetters(of: "mail").isEmpty)
        #expect(try await streaming.take(2, as: "b") == [Seen(1, attempt: 2), Seen(2, attempt: 2)])
    }

    @Test("after the service has shut down a delivery cannot be settled")
    func afterShutdown() async throws {
        let kept = Journal<Delivery>()
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.handle { delivery in
                    kept.add(delivery)
                    try await delivery.acknowledge()
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place([1])
            try await kept.wait(for: 1)
        }
        let delivery = try #require(kept.entries.first)
        #expect(await errorCode { try await delivery.acknowledge() } == .shutDown)
        #expect(await errorCode { try await delivery.reject() } == .shutDown)
    }

    @Test("at most once an event never comes again, whatever is done with it")
    func atMostOnce() async throws {
        let journal = Journal<Seen>()
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.semantics = .atMostOnce
                subscription.handle { delivery in
                    journal.add(Seen(delivery))
                    #expect(await errorCode { try await delivery.reject() } == .alreadySettled)
                    try await delivery.acknowledge()
                    throw Failure()
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...50)
            #expect(try await journal.wait(for: 50) == (1...50).seen)
            #expect(try await streaming.position()?.isFinished == true)
        }
        #expect(journal.count == 50)
        #expect(try await streaming.deadLetters(of: "mail").isEmpty)
    }

    @Test("at most once a loop that leaves is not given the same event again")
    func atMostOnceLeaving() async throws {
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.semantics = .atMostOnce
                subscription.prefetch = 1
            }
        )
        try await streaming.place(1...3)
        for number in 1...3 {
            for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
                #expect(Seen(delivery) == Seen(number))
                break
            }
        }
    }
}
