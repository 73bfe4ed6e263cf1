import EventStreaming
import EventStreamingTesting
import Testing

@Suite("Dead letters", .timeLimit(.minutes(5)))
struct DeadLetterTests {
    @Test("after the last attempt an event is given up, with everything needed to understand it")
    func fields() async throws {
        let clock = ManualClock()
        let began = clock.now
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.retry.maximumAttempts = 3
                subscription.retry.jitter = 0
                subscription.handle { _ in throw Failure(reason: "no stamps at \(clock.uptime / .seconds(1))") }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            let workflow = try WorkflowID("order-7")
            try await streaming.emitter.emit(OrderPlaced(number: 7), in: workflow, headers: ["tenant": "blue"])
            try await streaming.settled("mail", advancing: clock)
            let stored = try #require(try await streaming.read("order-events").first)
            let letters = try await streaming.deadLetters(of: "mail")
            let letter = try #require(letters.first)
            #expect(letters.count == 1)
            #expect(letter.number == .zero)
            #expect(letter.event.id == stored.id)
            #expect(letter.event.offset == .zero)
            #expect(letter.event.timestamp == stored.timestamp)
            #expect(letter.event.correlationID == workflow)
            #expect(letter.event.headers == ["tenant": "blue"])
            #expect(letter.stream.rawValue == "order-events")
            #expect(letter.subscription.rawValue == "mail")
            #expect(letter.consumer?.rawValue == "mail")
            #expect(letter.reason.contains("no stamps at 3.0"))
            #expect(letter.attempts == 3)
            #expect(letter.firstFailure == began)
            #expect(letter.lastFailure == began + .seconds(3))
            guard case .value(let event) = letter.event.payload else {
                Issue.record("The payload is not the event.")
                return
            }
            #expect(event as? OrderPlaced == OrderPlaced(number: 7))
        }
    }

    @Test("rejecting for good gives an event up at once, with the reason")
    func rejected() async throws {
        let streaming = try makeOrders(mail: { $0.mode = .exclusive })
        try await streaming.place(1...3)
        var seen: [Seen] = []
        for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
            seen.append(Seen(delivery))
            if delivery.number == 2 { try await delivery.reject(.deadLetter, reason: "unreadable") }
            if delivery.number == 3 {
                try await delivery.acknowledge()
                break
            }
        }
        #expect(seen == (1...3).seen)
        let letters = try await streaming.deadLetters(of: "mail")
        #expect(letters.map(\.reason) == ["unreadable"])
        #expect(letters.map(\.attempts) == [1])
        #expect(letters.first?.consumer == nil)
        #expect(try await streaming.position()?.isFinished == true)
    }

    @Test("redriven dead letters come again as a first attempt, once, and move no position")
    func redrive() async throws {
        let journal = Journal<Seen>()
        let clock = ManualClock()
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.retry.maximumAttempts = 1
                subscription.handle { delivery in
                    journal.add(Seen(delivery))
                    if delivery.number <= 3, journal.count <= 5 { throw Failure() }
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...5)
            try await streaming.settled("mail", advancing: clock)
            #expect(try await streaming.deadLetters(of: "mail").count == 3)
            let before = try await streaming.position()?.position
            #expect(try await streaming.redriveDeadLetters(of: "mail", StreamOffset(1)..<StreamOffset(2)) == 1)
            try await streaming.settled("mail", advancing: clock)
            #expect(journal.entries.suffix(1) == [Seen(2)])
            #expect(try await streaming.redriveDeadLetters(of: "mail") == 2)
            #expect(try await streaming.redriveDeadLetters(of: "mail") == 0)
            try await streaming.settled("mail", advancing: clock)
            #expect(Set(journal.entries.suffix(2)) == [Seen(1), Seen(3)])
            #expect(journal.count == 8)
            #expect(try await streaming.position()?.position == before)
            #expect(try await streaming.deadLetters(of: "mail").isEmpty)
        }
    }

    @Test("a redriven event that fails again becomes a dead letter again")
    func redrivenFails() async throws {
        let clock = ManualClock()
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.retry.maximumAttempts = 2
                subscription.handle { _ in throw Failure() }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place([1])
            for round in 0..<3 {
                try await streaming.settled("mail", advancing: clock)
                let letters = try await streaming.deadLetters(of: "mail")
                #expect(letters.map(\.number) == [StreamOffset(Int64(round))])
                #expect(letters.map(\.attempts) == [2])
                #expect(letters.map(\.event.offset) == [.zero])
                #expect(try await streaming.redriveDeadLetters(of: "mail") == 1)
            }
        }
    }

    @Test("a subscription can follow another one's dead letters")
    func following() async throws {
        let (clock, letters) = (ManualClock(), Journal<DeadLetter?>())
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.retry.maximumAttempts = 2
                subscription.handle { delivery in
                    if delivery.number.isMultiple(of: 2) { throw Failure(reason: "even") }
                }
            },
            also: { streaming in
                streaming.addSubscription("undertaker") { subscription in
                    subscription.stream("mail-dead-letters")
                    subscription.handle(OrderPlaced.self) { event, delivery in
                        #expect(event.number.isMultiple(of: 2))
                        letters.add(DeadLetter(record: delivery.record))
                    }
                }
            }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place(1...6)
            try await streaming.settled(advancing: clock)
            let seen = try await letters.wait(for: 3)
            #expect(Set(seen.map { $0?.event.offset.rawValue }) == [1, 3, 5])
            #expect(seen.allSatisfy { $0?.attempts == 2 && $0?.reason.contains("even") == true })
        }
    }

    @Test("an event that ends its consumer again and again becomes a dead letter", arguments: [false, true])
    func endsItsConsumer(isThrowing: Bool) async throws {
        let streaming = try makeOrders(
            clock: ManualClock(),
            mail: { subscription in
                subscription.mode = .exclusive
                subscription.retry.maximumAttempts = 3
            }
        )
        try await streaming.place(1...3)
        var seen: [Seen] = []
        for _ in 1...3 {
            do {
                for try await delivery in try streaming.subscribe(to: "mail", as: "a") {
                    seen.append(Seen(delivery))
                    if isThrowing { throw Failure() }
                    break
                }
            } catch {
                #expect(error is Failure)
            }
        }
        await streaming.releaseAbandoned()
        #expect(seen == [Seen(1), Seen(1, attempt: 2), Seen(1, attempt: 3)])
        let letters = try await streaming.deadLetters(of: "mail")
        #expect(letters.map(\.event.offset) == [.zero])
        #expect(letters.map(\.attempts) == [3])
        #expect(try await streaming.take(2, as: "b") == [Seen(2), Seen(3)])
    }
}
