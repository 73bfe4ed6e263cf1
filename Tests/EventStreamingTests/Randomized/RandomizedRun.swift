import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting

/// One randomised run: services that come and go on a shared store, with consumers that misbehave in every allowed way.
struct RandomizedRun: Sendable {
    let schedule: Schedule
    let book: Book
    private let clock = ManualClock()
    private let store: InMemoryEventStreamStore
    private let emitted = Tally()

    private static let loops = [("copies", "a"), ("copies", "b"), ("work", "first"), ("work", "second")]
    private static let subscriptions = ["copies", "work", "handled"]

    init(seed: UInt64) {
        schedule = Schedule(seed: seed)
        book = Book(maximumAttempts: schedule.maximumAttempts)
        store = InMemoryEventStreamStore(clock: clock, seed: seed)
    }

    /// Returns what went wrong.
    func callAsFunction() async throws -> [String] {
        let first = try makeService(isLast: false)
        for name in ["a", "b"] {
            try await first.withSubscription(to: "copies", as: name) { _ in }
        }
        for number in 0..<schedule.generations {
            try await live(generation: number)
        }
        try await finish()
        return book.violations
    }

    // MARK: - Services

    private func makeService(isLast: Bool) throws -> EventStreaming {
        let (schedule, book) = (schedule, book)
        return try EventStreaming(storage: .inMemory(store)) { streaming in
            streaming.options.clock = clock
            streaming.addStream(OrderWorkflow.self) { $0.type = schedule.type }
            streaming.addSubscription("copies") { schedule.configure(&$0) }
            streaming.addSubscription("work") { subscription in
                schedule.configure(&subscription)
                subscription.mode = .exclusive
            }
            streaming.addSubscription("handled") { subscription in
                schedule.configure(&subscription)
                subscription.maximumConcurrency = schedule.concurrency
                subscription.handle { delivery in
                    book.delivered(delivery, at: "handled/handled")
                    await Task.yield()
                    if !isLast, schedule.fails(delivery) { throw Failure() }
                    book.isDone(delivery, at: "handled/handled")
                }
            }
            streaming.addSubscription("once") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .exclusive
                subscription.semantics = .atMostOnce
                subscription.prefetch = schedule.prefetch
                subscription.handle { delivery in
                    book.delivered(delivery, at: "once")
                    if schedule.fails(delivery) { throw Failure() }
                }
            }
        }
    }

    /// A service from its start to its end.
    private func live(generation: Int) async throws {
        var chance = Chance(seed: schedule.seed, [1000, Int64(generation)])
        let streaming = try makeService(isLast: false)
        let isRunning = chance.happens(75)
        let isCancelled = chance.happens(30)
        let isImpatient = chance.happens(40)
        let patience = chance.number(0...200)
        let batches = Journal<Int>()
        await withTaskGroup(of: Void.self) { group in
            if isRunning {
                group.addTask { _ = await errorCode { try await streaming.run() } }
            }
            for index in 0..<schedule.publishers {
                group.addTask { await publish(index, generation, streaming, batches) }
            }
            for (index, loop) in Self.loops.enumerated() {
                group.addTask { await consume(loop.0, loop.1, index, streaming) }
            }
            group.addTask { await sample(streaming) }
            if !isImpatient {
                _ = await errorCode { try await batches.wait(for: schedule.publishers) }
            }
            for _ in 0..<patience {
                await Task.yield()
                if chance.happens(20) { clock.advance(by: .milliseconds(chance.number(1...150))) }
            }
            streaming.beginShutdown()
            if isCancelled { group.cancelAll() }
        }
    }

    /// The last service, whose consumers behave; returns when everything is finished.
    private func finish() async throws {
        let streaming = try makeService(isLast: true)
        let (book, clock) = (book, clock)
        try await withEventStreaming(streaming) { streaming in
            await withTaskGroup(of: Void.self) { group in
                for (subscription, name) in Self.loops {
                    let position = subscription == "work" ? "work" : "\(subscription)/\(name)"
                    group.addTask {
                        _ = await errorCode {
                            for try await delivery in try streaming.subscribe(to: subscription, as: name) {
                                book.delivered(delivery, at: position)
                                book.isDone(delivery, at: position)
                            }
                        }
                    }
                }
                do {
                    try await inTime(.seconds(60), "the run does not come to an end") {
                        while try await !isFinished(streaming) {
                            for _ in 0..<20 { await Task.yield() }
                            clock.advance(by: .milliseconds(500))
                        }
                    }
                } catch {
                    book.violate("\(error)")
                }
                streaming.beginShutdown()
            }
        }
        for subscription in Self.subscriptions {
            try await book.checkEnd(of: subscription, in: streaming)
        }
        for position in ["copies/a", "copies/b"] + (schedule.concurrency == 1 ? ["handled/handled"] : []) {
            book.checkOrder(at: position)
        }
        book.checkAtMostOnce(at: "once")
        let stream = try await streaming.metadata(of: "order-events")
        if Int(stream.head.rawValue) != emitted.value {
            book.violate("\(emitted.value) events were emitted, but the stream has \(stream.head)")
        }
        if schedule.type == .ephemeral, stream.count != 0 || stream.dropped != 0 {
            book.violate("\(stream.count) events are left and \(stream.dropped) dropped")
        }
        for consumer in try await streaming.consumers(of: "work") + streaming.consumers(of: "copies") {
            if consumer.isConnected { book.violate("\(consumer.id) is still connected") }
        }
    }

    private func isFinished(_ streaming: EventStreaming) async throws -> Bool {
        for subscription in Self.subscriptions + ["once"] {
            guard try await streaming.progress(of: subscription).allSatisfy(\.isFinished) else { return false }
        }
        return true
    }

    // MARK: - Publishers and samples

    private func publish(_ index: Int, _ generation: Int, _ streaming: EventStreaming, _ finished: Journal<Int>) async {
        var chance = Chance(seed: schedule.seed, [2000, Int64(index), Int64(generation)])
        defer { finished.add(index) }
        for _ in 0..<schedule.batches {
            let count = chance.number(1...8)
            let code = await errorCode { try await streaming.place(0..<count) }
            switch code {
            case nil: emitted.add(count)
            case .shuttingDown, .shutDown, .cancelled: return
            default: book.violate("emitting failed with \(code?.description ?? "")")
            }
            await Task.yield()
        }
    }

    private func sample(_ streaming: EventStreaming) async {
        for _ in 0..<4 {
            for subscription in Self.subscriptions {
                _ = await errorCode { try await book.checkWatermarks(of: subscription, in: streaming) }
            }
            for _ in 0..<20 { await Task.yield() }
        }
    }
}
