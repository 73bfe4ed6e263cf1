import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Read receipts: a store that cannot be reached", .timeLimit(.minutes(5)))
struct ReceiptOutageTests {
    private static let unavailable = EventStreamingError(.storeUnavailable, "not now")
    private let clock = ManualClock()
    private let store: FaultInjectingStore

    init() {
        store = FaultInjectingStore(wrapping: InMemoryEventStreamStore(clock: clock))
    }

    @Test(
        "marking a delivery again comes to the same end, whether the store had recorded it or not",
        arguments: [FaultInjectingStore.Effect.before, .after], [1, 3]
    )
    func again(_ effect: FaultInjectingStore.Effect, _ failures: Int) async throws {
        let streaming = try makeNotes(storage: .shared(store), clock: clock)
        try await streaming.place(1...5)
        var iterator = try streaming.subscribe(to: "notes", as: "ada").makeAsyncIterator()
        store.fail(.settle, with: Self.unavailable, on: .nextCalls(failures), effect: effect)
        for number in 1...5 {
            let delivery = try #require(try await iterator.next())
            #expect(Seen(delivery) == Seen(number))
            var attempts = 0
            while attempts < 10, await errorCode({ try await delivery.markAsRead() }) == .storeUnavailable {
                attempts += 1
            }
            // What the store knows already, it refuses: the failure is left for another call.
            #expect(number == 1 ? 1...failures ~= attempts : attempts <= failures)
            #expect(try await streaming.receipt(delivery.record.id, of: "ada")?.status == .read)
        }
        try await streaming.place([6])
        #expect(try await iterator.next().map { Seen($0) } == Seen(6))
        #expect(try await streaming.unreadNumbers(of: "ada") == [])
    }

    @Test("a mark that could not be made with its settlement is made with the next one")
    func kept() async throws {
        let streaming = try makeNotes(storage: .shared(store), clock: clock) { $0.prefetch = 2 }
        try await streaming.place(1...4)
        var iterator = try streaming.subscribe(to: "notes", as: "ada").makeAsyncIterator()
        let first = try #require(try await iterator.next())
        store.fail(.settle, with: Self.unavailable, on: .nextCalls(1))
        #expect(await errorCode { try await first.markAsRead() } == .storeUnavailable)
        #expect(try await streaming.receipt(first.record.id, of: "ada") == nil)
        for number in 2...4 {
            #expect(try await iterator.next().map { Seen($0) } == Seen(number))
        }
        #expect(try await streaming.receipt(first.record.id, of: "ada")?.status == .read)
        #expect(try await streaming.unreadNumbers(of: "ada") == [2, 3])
    }

    @Test(
        "marking what was acknowledged fails and can be repeated",
        arguments: [FaultInjectingStore.Effect.before, .after])
    func byID(_ effect: FaultInjectingStore.Effect) async throws {
        let streaming = try makeNotes(storage: .shared(store), clock: clock)
        try await streaming.place(1...2)
        var iterator = try streaming.subscribe(to: "notes", as: "ada").makeAsyncIterator()
        let first = try #require(try await iterator.next())
        try await first.acknowledge()
        store.fail(.markRead, with: Self.unavailable, on: .nextCalls(2), effect: effect)
        #expect(await errorCode { try await first.markAsRead() } == .storeUnavailable)
        let id = first.record.id
        #expect(await errorCode { try await streaming.markAsRead(id, of: "notes", by: "ada") } == .storeUnavailable)
        try await first.markAsRead()
        #expect(try await streaming.receipt(id, of: "ada")?.status == .read)
    }

    @Test(
        "a loop that is acknowledging does not hide the event from whoever marks it meanwhile, also where it fails",
        arguments: [false, true]
    )
    func inTransit(isFailing: Bool) async throws {
        let streaming = try makeNotes(storage: .shared(store), clock: clock) { $0.prefetch = 1 }
        try await streaming.place(1...2)
        let gate = store.hold(.settle, on: .nextCalls(1))
        if isFailing {
            store.fail(.settle, with: Self.unavailable, on: .nextCalls(1))
        }
        let (first, isMarked) = (Journal<Delivery>(), Latch())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for try await delivery in try streaming.subscribe(to: "notes", as: "ada") {
                        if delivery.number == 2 {
                            try await isMarked.wait()
                            try await delivery.acknowledge()
                            break
                        }
                        first.add(delivery)
                    }
                } catch let error as EventStreamingError where isFailing && error.code == .storeUnavailable {
                    return
                }
            }
            let delivery = try await first.wait(for: 1)[0]
            // The loop asks for the next one; its acknowledgement is on the way to the store.
            try await inTime { try await gate.waitForArrivals(1) }
            group.addTask {
                // The loop goes on, whatever came of it.
                defer { isMarked.open() }
                try await inTime { try await delivery.markAsRead() }
            }
            for _ in 0..<100 { await Task.yield() }
            gate.release()
            try await group.waitForAll()
        }
        let ids = try await streaming.ids()
        #expect(try await streaming.receipt(ids[0], of: "ada")?.status == .read)
        #expect(try await streaming.unreadNumbers(of: "ada") == (isFailing ? [] : [2]))
    }

    @Test("unread events are shown though some are trimmed at the same moment")
    func trimmedMeanwhile() async throws {
        let (streaming, store) = (try makeNotes(storage: .shared(store), clock: clock), store)
        try await streaming.place(1...10)
        _ = try await streaming.show(10, to: "ada")
        let gate = store.hold(.read, on: .nextCalls(1))
        async let numbers = streaming.unread(of: "notes", for: "ada").map(\.number)
        try await inTime { try await gate.waitForArrivals(1) }
        try await streaming.trim("order-events", before: StreamOffset(4))
        gate.release()
        #expect(try await numbers == Array(5...10))
    }

    @Test("a cancelled task changes nothing, and is told so")
    func cancelled() async throws {
        let streaming = try makeNotes(storage: .shared(store), clock: clock)
        try await streaming.place(1...1)
        var iterator = try streaming.subscribe(to: "notes", as: "ada").makeAsyncIterator()
        let delivery = try #require(try await iterator.next())
        let gate = store.hold(.settle, on: .nextCalls(1))
        await withTaskGroup(of: EventStreamingError.Code?.self) { group in
            group.addTask { await errorCode { try await delivery.markAsRead() } }
            _ = await errorCode { try await inTime { try await gate.waitForArrivals(1) } }
            group.cancelAll()
            #expect(await group.next() == .some(.cancelled))
        }
        gate.release()
        try await delivery.markAsRead()
        #expect(try await streaming.receipt(delivery.record.id, of: "ada")?.status == .read)
    }
}
