import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Synchronization
import Testing

@Suite("Replay", .timeLimit(.minutes(5)))
struct ReplayTests {
    private let clock = ManualClock()

    /// A service whose orders can be replayed; 1 to 10, one every ten seconds, every third one shipped.
    private func makeService(storage: EventStreamingStorage = .inMemory) async throws -> EventStreaming {
        let streaming = try EventStreaming(storage: storage) { streaming in
            streaming.options.clock = clock
            streaming.addStream(OrderWorkflow.self) { stream in
                stream.type = .persistent
                stream.isReplayEnabled = true
            }
            streaming.addStream(NoteWorkflow.self) { $0.type = .persistent }
            streaming.addEvent(OrderPlaced.self)
        }
        for number in 1...10 {
            if number.isMultiple(of: 3) {
                try await streaming.emitter.emit(OrderShipped(number: number))
            } else {
                try await streaming.emitter.emit(OrderPlaced(number: number))
            }
            clock.advance(by: .seconds(10))
        }
        return streaming
    }

    private static func number(_ event: ReplayedEvent) throws -> Int {
        let event = try event.event
        return (event as? OrderPlaced)?.number ?? (event as? OrderShipped)?.number ?? -1
    }

    private func numbers(_ replay: Replay) async throws -> [Int] {
        var numbers: [Int] = []
        for try await event in replay {
            numbers.append(try Self.number(event))
        }
        return numbers
    }

    @Test("begins and ends where it is told; what the end names is included")
    func bounds() async throws {
        let streaming = try await makeService()
        let ids = try await streaming.read("order-events").map(\.id)
        let start = clock.now - .seconds(100)
        func replay(_ from: StartPosition = .beginning, _ to: EndPosition = .latest) async throws -> [Int] {
            try await numbers(try await streaming.replay("order-events", from: from, to: to))
        }
        #expect(try await replay() == Array(1...10))
        #expect(try await replay(.latest) == [])
        #expect(try await replay(.offset(StreamOffset(7))) == [8, 9, 10])
        #expect(try await replay(.offset(StreamOffset(.max))) == [])
        #expect(try await replay(.timestamp(start + .seconds(15))) == Array(3...10))
        #expect(try await replay(.event(ids[8])) == [9, 10])
        #expect(try await replay(.beginning, .offset(StreamOffset(2))) == [1, 2, 3])
        #expect(try await replay(.beginning, .offset(StreamOffset(.max))) == Array(1...10))
        #expect(try await replay(.beginning, .timestamp(start + .seconds(10))) == [1, 2])
        #expect(try await replay(.beginning, .timestamp(start - .seconds(1))) == [])
        #expect(try await replay(.beginning, .timestamp(Timestamp(nanosecondsSinceEpoch: .max))) == Array(1...10))
        #expect(try await replay(.beginning, .event(ids[3])) == [1, 2, 3, 4])
        #expect(try await replay(.event(ids[4]), .event(ids[4])) == [5])
        #expect(try await replay(.event(ids[4]), .event(ids[3])) == [])
    }

    @Test("has the events that were there when it was made, in every loop")
    func fixed() async throws {
        let streaming = try await makeService()
        let replay = try await streaming.replay("order-events", from: .offset(StreamOffset(8)))
        try await streaming.place(11...12)
        #expect(try await numbers(replay) == [9, 10])
        #expect(try await numbers(replay) == [9, 10])
    }

    @Test("passes over what is filtered out, and ends after the most events")
    func filters() async throws {
        let streaming = try await makeService()
        var options = ReplayOptions()
        options.eventTypes = [OrderShipped.eventType]
        #expect(
            try await numbers(try await streaming.replayService.replayStream("order-events", options)) == [3, 6, 9])
        options.filter = { $0.offset.rawValue > 2 }
        #expect(try await numbers(try await streaming.replayService.replayStream("order-events", options)) == [6, 9])
        options.eventTypes = nil
        options.maximumEvents = 3
        #expect(
            try await numbers(try await streaming.replayService.replayStream("order-events", options)) == [4, 5, 6])
        options.filter = nil
        #expect(
            try await numbers(try await streaming.replayService.replayStream("order-events", options)) == [1, 2, 3])
        options.maximumEvents = .max
        #expect(try await numbers(try await streaming.replayService.replayStream("order-events", options)).count == 10)
    }

    @Test("gives the events of one type, as this type", arguments: [false, true])
    func typed(isEncoding: Bool) async throws {
        let streaming = try await makeService(storage: isEncoding ? EncodingStore(clock: clock).storage : .inMemory)
        var shipped: [OrderShipped] = []
        let replay = try await streaming.replay(OrderShipped.self, to: .offset(StreamOffset(6)))
        for try await replayed in replay {
            shipped.append(replayed.event)
            #expect(replayed.record.offset.rawValue == Int64(replayed.event.number - 1))
        }
        #expect(shipped == [OrderShipped(number: 3), OrderShipped(number: 6)])
        #expect(replay.progress.delivered == 2)
        #expect(replay.progress.done == 7)
    }

    @Test("goes on after an event that cannot be decoded")
    func undecodable() async throws {
        // One process emits `OrderShipped`; the other one does not know it.
        let store = EncodingStore(clock: clock)
        _ = try await makeService(storage: store.storage)
        let streaming = try EventStreaming(storage: store.storage) { streaming in
            streaming.addStream(OrderWorkflow.self) { stream in
                stream.type = .persistent
                stream.isReplayEnabled = true
            }
            streaming.addEvent(OrderPlaced.self)
        }
        var outcomes: [String] = []
        for try await event in try await streaming.replay("order-events", to: .offset(StreamOffset(3))) {
            do throws(EventStreamingError) {
                outcomes.append("\((try event.event as? OrderPlaced)?.number ?? 0)")
            } catch {
                outcomes.append("\(error.code)")
            }
        }
        #expect(outcomes == ["1", "2", "eventStreaming.unknownEventType", "4"])
    }

    @Test("moves no position")
    func harmless() async throws {
        let streaming = try EventStreaming { streaming in
            streaming.addStream(OrderWorkflow.self) { stream in
                stream.type = .persistent
                stream.isReplayEnabled = true
            }
            streaming.addSubscription("mail") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .exclusive
            }
        }
        try await streaming.place(1...4)
        #expect(try await streaming.take(2, as: "c1") == [1, 2].seen)
        let before = try await streaming.progress(of: "mail")
        #expect(try await numbers(try await streaming.replay("order-events")) == [1, 2, 3, 4])
        #expect(try await streaming.progress(of: "mail") == before)
        #expect(try await streaming.take(2, as: "c1") == [3, 4].seen)
    }

    // MARK: - Refusals

    @Test("is refused where it cannot be")
    func refused() async throws {
        let streaming = try await makeService()
        func code(
            _ stream: String = "order-events",
            from: StartPosition = .beginning,
            to: EndPosition = .latest
        ) async -> EventStreamingError.Code? {
            await errorCode { _ = try await streaming.replay(stream, from: from, to: to) }
        }
        let unknown = MessageIDGenerator(clock: clock).next()
        #expect(await code() == nil)
        #expect(await code("nowhere") == .unknownStream)
        #expect(await code("no where") == .invalidName)
        #expect(await code("note-events") == .replayNotEnabled)
        #expect(await errorCode { _ = try await streaming.replay(NoteTaken.self) } == .replayNotEnabled)
        #expect(await code(from: .event(unknown)) == .unknownEvent)
        #expect(await code(to: .event(unknown)) == .unknownEvent)
        try await streaming.trim("order-events", before: StreamOffset(4))
        #expect(await code(from: .offset(StreamOffset(3))) == .offsetTrimmed)
        #expect(await code(from: .offset(StreamOffset(4))) == nil)
        #expect(await code(from: .beginning) == nil)
    }

    @Test("tells every bad option at once")
    func badOptions() async throws {
        let streaming = try await makeService()
        for factor in [0, -1, .nan, .infinity, -.infinity, 0.000_1, 1e300] {
            #expect(
                await errorCode {
                    _ = try await streaming.replay("order-events") { $0.speed = .factor(factor) }
                } == .invalidArgument
            )
        }
        var options = ReplayOptions()
        options.maximumEvents = 0
        options.pageSize = 10_001
        options.eventTypes = []
        options.speed = .factor(0)
        do throws(EventStreamingError) {
            _ = try await streaming.replayService.replayStream("order-events", options)
            Issue.record("The options were accepted.")
        } catch {
            #expect(error.code == .invalidArgument)
            #expect(error.problems.count == 4)
        }
    }

    @Test("ends with an error when events are removed before it comes to them")
    func trimmedMeanwhile() async throws {
        let streaming = try await makeService()
        let replay = try await streaming.replay("order-events") { $0.pageSize = 2 }
        var seen: [Int] = []
        let code = await errorCode {
            for try await event in replay {
                seen.append(try Self.number(event))
                if seen.count == 2 {
                    try await streaming.trim("order-events", before: StreamOffset(5))
                }
            }
        }
        #expect(code == .offsetTrimmed)
        #expect(seen == [1, 2])
        #expect(replay.progress.position == StreamOffset(2))
        #expect(!replay.progress.isFinished)
    }

    @Test("ends when its task is cancelled, also while it waits for its time")
    func cancelled() async throws {
        let streaming = try await makeService()
        let clock = clock
        let code = await withTaskGroup(of: EventStreamingError.Code?.self) { group in
            group.addTask {
                await errorCode {
                    for try await _ in try await streaming.replay("order-events", configure: { $0.speed = .factor(1) })
                    {}
                }
            }
            try? await clock.waitForSleepers(1)
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(code == .cancelled)
        #expect(clock.sleeperCount == 0)
    }

    // MARK: - Pages, pace and progress

    @Test("reads pages of the size given, and never more than it needs", arguments: [1, 3, 10, 10_000])
    func pages(size: Int) async throws {
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
        let streaming = try await makeService(storage: .shared(store))
        let replay = try await streaming.replay("order-events", to: .offset(StreamOffset(8))) { $0.pageSize = size }
        #expect(store.callCount(of: .read) == 0)
        #expect(try await numbers(replay) == Array(1...9))
        #expect(store.callCount(of: .read) == (9 + size - 1) / size)
    }

    @Test("reads fewer events at a time when they are large")
    func largeEvents() async throws {
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
        let streaming = try await makeService(storage: .shared(store))
        try await streaming.trim("order-events", before: StreamOffset(10))
        let note = String(repeating: "x", count: 900_000)
        for number in 1...10 {
            try await streaming.emitter.emit(OrderPlaced(number: number, note: note))
        }
        #expect(try await numbers(try await streaming.replay("order-events")) == Array(1...10))
        #expect(store.callCount(of: .read) == 3)
    }

    @Test("keeps the pauses between the events, so many times as fast", arguments: [1.0, 2.0, 0.5, 100.0])
    func pace(factor: Double) async throws {
        let streaming = try await makeService()
        let clock = clock
        let start = clock.uptime
        try await withThrowingTaskGroup(of: [Duration].self) { group in
            group.addTask {
                var times: [Duration] = []
                let replay = try await streaming.replay("order-events") { options in
                    options.speed = .factor(factor)
                    options.eventTypes = [OrderShipped.eventType]
                }
                for try await _ in replay {
                    times.append(clock.uptime - start)
                }
                return times
            }
            for _ in 1...2 {
                try await inTime { try await clock.waitForSleepers(1) }
                let deadline = try #require(clock.nextDeadline)
                clock.advance(by: deadline - clock.uptime)
            }
            let pause = Duration.seconds(30) / factor
            #expect(try await group.next() == [.zero, pause, pause * 2])
        }
    }

    @Test("tells how far it is")
    func progress() async throws {
        let streaming = try await makeService()
        let reports = Mutex<[ReplayProgress]>([])
        let replay = try await streaming.replay("order-events", from: .offset(StreamOffset(2))) { options in
            options.pageSize = 3
            options.eventTypes = [OrderPlaced.eventType]
            options.onProgress = { progress in reports.withLock { $0.append(progress) } }
        }
        let before = replay.progress
        #expect(before.total == 8 && before.done == 0 && before.fraction == 0 && before.position == StreamOffset(2))
        #expect(before.elapsed == .zero && before.rate == 0 && before.remaining == nil && !before.isFinished)
        for try await event in replay where event.offset == StreamOffset(3) {
            clock.advance(by: .seconds(2))
            let middle = replay.progress
            #expect(middle.done == 2 && middle.delivered == 1 && middle.fraction == 0.25)
            #expect(middle.elapsed == .seconds(2) && middle.rate == 1 && middle.remaining == .seconds(6))
        }
        clock.advance(by: .seconds(100))
        let after = replay.progress
        #expect(after.done == 8 && after.delivered == 5 && after.fraction == 1 && after.isFinished)
        #expect(after.position == StreamOffset(10))
        #expect(after.elapsed == .seconds(2) && after.rate == 4 && after.remaining == .zero)
        #expect(reports.withLock { $0.map(\.done) } == [3, 6, 8])
        #expect(reports.withLock { $0.map(\.isFinished) } == [false, false, true])
    }

    @Test("of nothing is finished at once")
    func nothing() async throws {
        let streaming = try await makeService()
        let replay = try await streaming.replay("order-events", from: .latest)
        #expect(replay.progress.fraction == 1)
        #expect(try await numbers(replay) == [])
        #expect(replay.progress.isFinished)
        #expect(replay.progress.total == 0)
    }

    @Test("a new consumer catches up from where it begins, and goes on with what comes")
    func catchingUp() async throws {
        let streaming = try makeOrders(clock: clock)
        try await streaming.place(1...3)
        clock.advance(by: .seconds(60))
        let time = clock.now
        try await streaming.place(4...6)
        let id = try await streaming.read("order-events")[1].id
        let starts: [(StartPosition, Int)] = [
            (.beginning, 1), (.offset(StreamOffset(2)), 3), (.timestamp(time), 4), (.event(id), 2), (.latest, 7),
        ]
        for (index, (start, _)) in starts.enumerated() {
            try await streaming.withSubscription(to: "mail", as: "c\(index)", from: start) { _ in }
        }
        try await streaming.place(7...9)
        for (index, (start, first)) in starts.enumerated() {
            let seen = try await streaming.take(10 - first, as: "c\(index)")
            #expect(seen == (first...9).seen, "from \(start)")
        }
    }
}
