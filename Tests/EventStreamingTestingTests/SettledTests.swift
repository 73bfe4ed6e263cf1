import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Synchronization
import Testing

@Suite("settled()", .timeLimit(.minutes(5)))
struct SettledTests {
    private func emit(_ count: Int, _ streaming: EventStreaming) async throws {
        for number in 0..<count {
            try await streaming.emitter.emit(UserInvited(email: "\(number)"))
        }
    }

    /// An engine that does not run.
    private func service(_ mode: SubscriptionMode = .exclusive, clock: ManualClock? = nil) throws -> EventStreaming {
        try EventStreaming(storage: .inMemory) { streaming in
            if let clock { streaming.options.clock = clock }
            streaming.addStream(InvitationWorkflow.self) { $0.type = .persistent }
            streaming.follow("mail", mode)
        }
    }

    @Test("returns at once when there is nothing to do")
    func nothing() async throws {
        try await service().settled(within: .zero)
        try await service(.broadcast).settled(within: .zero)
    }

    @Test("waits for the handlers of exclusive and broadcast subscriptions", arguments: [true, false])
    func handlers(isPersistent: Bool) async throws {
        let (mail, audit) = (DeliveryRecorder(), DeliveryRecorder())
        try await withTestEventStreaming { streaming in
            streaming.addStream(InvitationWorkflow.self) { $0.type = isPersistent ? .persistent : .ephemeral }
            streaming.follow("mail", .exclusive, mail) { $0.maximumConcurrency = 4 }
            streaming.follow("audit", .broadcast, audit)
        } _: { streaming, _ in
            for round in 1...20 {
                try await emit(10, streaming)
                try await streaming.settled()
                #expect(mail.deliveries.count == round * 10)
                #expect(audit.deliveries.count == round * 10)
            }
        }
    }

    @Test("an exclusive subscription without a consumer is not finished, and the error says so")
    func exclusiveWithoutConsumer() async throws {
        let streaming = try service()
        try await emit(3, streaming)
        let error = await #expect(throws: SettlingError.self) {
            try await streaming.settled(within: .milliseconds(20))
        }
        let mail = try SubscriptionID("mail")
        #expect(error?.cause == .timedOut(.milliseconds(20)))
        #expect(error?.unfinished == [.init(subscription: mail, behind: 3, isConnected: false)])
        let text = error?.description ?? ""
        #expect(text.hasPrefix("EventStreamingTestingTests/SettledTests.swift:"))
        #expect(text.hasSuffix("subscription 'mail': 3 behind, no consumer connected"))
    }

    @Test("a broadcast subscription without any consumer is finished")
    func broadcastWithoutConsumer() async throws {
        let streaming = try service(.broadcast)
        try await emit(3, streaming)
        try await streaming.settled(within: .zero)
    }

    @Test("a broadcast consumer that left behind events is named")
    func disconnectedBroadcastConsumer() async throws {
        let streaming = try service(.broadcast)
        try await streaming.withSubscription(to: "mail", as: "ada") { _ in }
        try await emit(2, streaming)
        let text = await message(of: SettlingError.self) { try await streaming.settled(within: .milliseconds(20)) }
        #expect(text?.hasSuffix("subscription 'mail', consumer 'ada': 2 behind, no consumer connected") == true)
        try await streaming.removeConsumer("ada", of: "mail")
        try await streaming.settled(within: .zero)
    }

    @Test("a handler that was never started is waited for, in broadcast mode too")
    func handlerNotStarted() async throws {
        let streaming = try EventStreaming(storage: .inMemory) { streaming in
            streaming.addStream(InvitationWorkflow.self) { $0.type = .persistent }
            streaming.follow("audit", .broadcast, DeliveryRecorder())
        }
        try await streaming.settled(within: .zero)
        try await emit(1, streaming)
        let text = await message(of: SettlingError.self) { try await streaming.settled(within: .milliseconds(20)) }
        #expect(text?.contains("'audit', consumer 'audit': 1 behind, no consumer connected") == true)
        try await withEventStreaming(streaming) { try await $0.settled() }
    }

    @Test("a delivery in hand is in flight until the loop asks for the next")
    func inFlight() async throws {
        let streaming = try service()
        try await emit(2, streaming)
        try await streaming.withSubscription(to: "mail") { subscription in
            var iterator = subscription.makeAsyncIterator()
            _ = try await iterator.next()
            let text = await message(of: SettlingError.self) { try await streaming.settled(within: .milliseconds(20)) }
            #expect(text?.hasSuffix("subscription 'mail': 2 behind, 2 in flight") == true)
            let last = try await iterator.next()
            try await last?.acknowledge()
            try await streaming.settled(within: .zero)
        }
    }

    @Test("settles by itself when a loop asks for more than there is")
    func loopGoesOn() async throws {
        let streaming = try service()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await _ in try streaming.subscribe(to: "mail", as: "ada") {}
            }
            try await emit(50, streaming)
            try await streaming.settled()
            #expect(try await streaming.progress(of: "mail").first?.position == StreamOffset(50))
            group.cancelAll()
            while let result = await group.nextResult() { _ = result }
        }
    }

    @Test("what a loop left with break held is given back, and reported")
    func breakOutOfLoop() async throws {
        let streaming = try service()
        try await emit(3, streaming)
        for try await delivery in try streaming.subscribe(to: "mail", as: "ada") where delivery.attempt == 1 { break }
        let text = await message(of: SettlingError.self) { try await streaming.settled(within: .milliseconds(20)) }
        let expected = "subscription 'mail': 3 behind, 3 waiting to be delivered again, no consumer connected"
        #expect(text?.hasSuffix(expected) == true)
        // Nobody holds anything any more, so another consumer finishes all of it.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await _ in try streaming.subscribe(to: "mail", as: "grace") {}
            }
            try await streaming.settled()
            group.cancelAll()
            while let result = await group.nextResult() { _ = result }
        }
    }

    @Test("a loop that acknowledges its last event before break settles", arguments: [true, false])
    func acknowledgeAndBreak(isRunning: Bool) async throws {
        let clock = ManualClock()
        let streaming = try service(clock: clock)
        @Sendable func consume(_ streaming: EventStreaming) async throws {
            try await emit(3, streaming)
            for try await delivery in try streaming.subscribe(to: "mail", as: "ada")
            where delivery.record.offset == StreamOffset(2) {
                try await delivery.acknowledge()
                break
            }
            try await streaming.settled()
        }
        if isRunning {
            try await withEventStreaming(streaming, consume)
        } else {
            try await consume(streaming)
        }
    }

    @Test("waits for events that handlers emit into other streams, whichever is looked at first")
    func chain() async throws {
        let recorder = DeliveryRecorder()
        let holder = Mutex<EventStreaming?>(nil)
        try await withTestEventStreaming { streaming in
            streaming.addStream(InvitationWorkflow.self)
            streaming.addStream(MailWorkflow.self)
            streaming.follow("z-first") { subscription in
                subscription.handle { delivery in
                    guard let event = delivery.event(as: UserInvited.self) else { return }
                    try await holder.withLock { $0 }?.emitter.emit(MailSent(email: event.email))
                }
            }
            streaming.addSubscription("a-second") { subscription in
                subscription.stream(MailWorkflow.self)
                subscription.mode = .exclusive
                subscription.handle(recorder.record)
            }
        } _: { streaming, _ in
            holder.withLock { $0 = streaming }
            for round in 1...100 {
                try await streaming.emitter.emit(UserInvited(email: "ada"))
                try await streaming.settled()
                #expect(recorder.deliveries.count == round)
            }
            holder.withLock { $0 = nil }
        }
    }

    @Test("what was finished when it was looked at is looked at again after the others")
    func consistentView() async throws {
        let (clock, first, second) = (ManualClock(), DeliveryRecorder(), DeliveryRecorder())
        let holder = Mutex<EventStreaming?>(nil)
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
        let storage = EventStreamingStorage { _ in store }
        try await withTestEventStreaming(storage: storage, clock: clock) { streaming in
            streaming.addStream(InvitationWorkflow.self)
            streaming.addStream(MailWorkflow.self)
            streaming.follow("z-first") { subscription in
                subscription.handle { delivery in
                    try await holder.withLock { $0 }?.emitter.emit(MailSent(email: "ada"))
                    try await delivery.acknowledge()
                    try await first.record(delivery)
                }
            }
            streaming.addSubscription("a-second") { subscription in
                subscription.stream(MailWorkflow.self)
                subscription.mode = .exclusive
                subscription.handle { delivery in
                    try await second.record(delivery)
                    try await clock.sleep(until: .seconds(1))
                }
            }
        } _: { streaming, _ in
            holder.withLock { $0 = streaming }
            defer { holder.withLock { $0 = nil } }
            // The housekeeping has looked at the positions for its gauges.
            try await clock.waitForSleepers(1)
            let gate = store.hold(.progress, on: .every(2))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await streaming.settled(within: .zero) }
                // It has seen that a-second is finished and is about to look at z-first.
                try await gate.waitForArrivals(1)
                try await streaming.emitter.emit(UserInvited(email: "ada"))
                try await first.waitFor(count: 1)
                try await second.waitFor(count: 1)
                gate.release()
                let text = await message(of: SettlingError.self) { try await group.waitForAll() }
                #expect(text?.hasSuffix("subscription 'a-second': 1 behind, 1 in flight") == true)
            }
            clock.advance(by: .seconds(1))
            try await streaming.settled()
        }
    }

    @Test("only the subscriptions named are waited for, and unknown ones are an error")
    func named() async throws {
        let streaming = try EventStreaming(storage: .inMemory) { streaming in
            streaming.addStream(InvitationWorkflow.self) { $0.type = .persistent }
            streaming.follow("mail")
            streaming.follow("audit", .broadcast)
        }
        try await emit(1, streaming)
        try await streaming.settled("audit", within: .zero)
        let text = await message(of: SettlingError.self) { try await streaming.settled("audit", "mail", within: .zero) }
        #expect(text?.contains("'mail'") == true)
        #expect(text?.contains("'audit'") == false)
        let error = await #expect(throws: EventStreamingError.self) { try await streaming.settled("nobody") }
        #expect(error?.code == .unknownSubscription)
    }

    @Test("fails at once when the service has shut down")
    func shutDown() async throws {
        let streaming = try service()
        try await withEventStreaming(streaming) { try await emit(1, $0) }
        let text = await message(of: SettlingError.self) { try await streaming.settled(within: .seconds(50)) }
        #expect(text?.contains("Not settled when the service had shut down.") == true)
    }

    @Test("ends when its task is cancelled")
    func cancellation() async throws {
        let streaming = try service()
        try await emit(1, streaming)
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await streaming.settled(within: .seconds(50)) }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }
}
