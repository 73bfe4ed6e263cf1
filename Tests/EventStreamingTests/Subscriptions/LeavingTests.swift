import EventStreaming
import EventStreamingTesting
import Testing

@Suite("Leaving a loop", .timeLimit(.minutes(5)))
struct LeavingTests {
    @Test("a break gives back what was held: the event in hand as an attempt, the others as they were")
    func breaking() async throws {
        let streaming = try makeOrders(mail: { $0.mode = .exclusive })
        try await streaming.place(1...5)
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") where delivery.number == 3 { break }
        let seen = try await streaming.take(3, as: "b")
        #expect(Set(seen) == [Seen(3, attempt: 2), Seen(4), Seen(5)])
        #expect(try await streaming.position()?.isFinished == true)
    }

    @Test("an error in the loop counts as an attempt, and the reason is told")
    func throwing() async throws {
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.retry.maximumAttempts = 1
            }
        )
        try await streaming.place(1...2)
        await #expect(throws: Failure()) {
            for try await _ in try streaming.subscribe(to: "mail", as: "a") { throw Failure() }
        }
        #expect(try await streaming.take(1, as: "b") == [Seen(2)])
        let letters = try await streaming.deadLetters(of: "mail")
        #expect(letters.map(\.event.offset) == [.zero])
        #expect(letters.first?.reason.isEmpty == false)
    }

    @Test("acknowledging before the break means success")
    func acknowledged() async throws {
        let streaming = try makeOrders(mail: { $0.mode = .exclusive })
        try await streaming.place(1...3)
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            try await delivery.acknowledge()
            break
        }
        #expect(try await streaming.take(2, as: "b") == [Seen(2), Seen(3)])
    }

    @Test("a cancelled loop ends with code cancelled, and nothing counts", arguments: [true, false])
    func cancelling(isWaiting: Bool) async throws {
        let (clock, journal) = (ManualClock(), Journal<Seen>())
        let streaming = try makeOrders(clock: clock, mail: { $0.mode = .exclusive })
        try await streaming.place(1...3)
        let code = await withTaskGroup(of: EventStreamingError.Code?.self) { group in
            group.addTask {
                await errorCode {
                    for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
                        journal.add(Seen(delivery))
                        if !isWaiting { _ = await errorCode { try await Latch().wait() } }
                    }
                }
            }
            _ = await errorCode {
                try await journal.wait(for: isWaiting ? 3 : 1)
                if isWaiting { try await inTime { try await clock.waitForSleepers(1) } }
            }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(code == .cancelled)
        #expect(try await streaming.consumers(of: "mail").allSatisfy { !$0.isConnected && $0.inFlight == 0 })
        if isWaiting {
            #expect(try await streaming.position()?.isFinished == true)
        } else {
            // The loop asked for the next event, so the first was done.
            #expect(try await streaming.take(2, as: "b") == [Seen(2), Seen(3)])
        }
    }

    @Test("an event in hand when its task is cancelled comes again as the same attempt")
    func cancelledInBody() async throws {
        let hasEvent = Latch()
        let streaming = try makeOrders(mail: { $0.mode = .exclusive })
        try await streaming.place(1...3)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = await errorCode {
                    for try await _ in try streaming.subscribe(to: "mail", as: "a") {
                        hasEvent.open()
                        try await Latch().wait()
                    }
                }
            }
            _ = await errorCode { try await inTime { try await hasEvent.wait() } }
            group.cancelAll()
        }
        #expect(try await streaming.take(3, as: "b") == (1...3).seen)
    }

    @Test("a consumer of the same name takes over, and the first loop ends with consumerReplaced")
    func replacedInBody() async throws {
        let streaming = try makeOrders()
        try await streaming.place(1...4)
        var seen: [Seen] = []
        let code = await errorCode {
            for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
                seen.append(Seen(delivery))
                if delivery.number == 2 {
                    #expect(try await streaming.take(2, as: "a").map(\.number) == [1, 2])
                    #expect(await errorCode { try await delivery.acknowledge() } == .consumerReplaced)
                }
            }
        }
        #expect(seen == (1...2).seen)
        #expect(code == .consumerReplaced)
    }

    @Test("a loop that waits is told that it was replaced", arguments: [false, true])
    func replacedWhileWaiting(isRunning: Bool) async throws {
        let clock = ManualClock()
        let streaming = try makeOrders(clock: clock)
        let scenario: @Sendable (EventStreaming) async throws -> Void = { streaming in
            try await withThrowingTaskGroup(of: EventStreamingError.Code?.self) { group in
                group.addTask {
                    await errorCode {
                        for try await _ in try streaming.subscribe(to: "mail", as: "a") {
                            Issue.record("The first loop got an event.")
                        }
                    }
                }
                try await streaming.wait { try await $0.consumers(of: "mail").contains(where: \.isConnected) }
                try await inTime { try await clock.waitForSleepers(1) }
                try await streaming.withSubscription(to: "mail", as: "a") { subscription in
                    clock.advance(by: .seconds(10))
                    let ended = try await group.next() ?? nil
                    #expect(ended == .consumerReplaced)
                    try await streaming.place([1])
                    #expect(try await subscription.take(1) == [Seen(1)])
                }
            }
        }
        if isRunning {
            try await withEventStreaming(streaming) { try await scenario($0) }
        } else {
            try await scenario(streaming)
        }
    }
}
