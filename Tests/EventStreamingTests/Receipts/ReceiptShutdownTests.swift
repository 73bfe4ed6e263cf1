import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Read receipts: shutting down", .timeLimit(.minutes(5)))
struct ReceiptShutdownTests {
    private let clock = ManualClock()

    @Test("what is being marked when the shutdown begins is marked, and the rest comes again")
    func inTheMiddle() async throws {
        let base = InMemoryEventStreamStore(clock: clock)
        let store = FaultInjectingStore(wrapping: base)
        let (streaming, seen) = (try makeNotes(storage: .shared(store), clock: clock), Journal<Int>())
        try await streaming.place(1...5)
        let gate = store.hold(.settle, on: .nextCalls(1))
        try await withEventStreaming(streaming) { streaming in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await delivery in try streaming.subscribe(to: "notes", as: "ada") {
                        seen.add(delivery.number)
                        try await delivery.markAsRead()
                    }
                }
                try await inTime { try await gate.waitForArrivals(1) }
                streaming.beginShutdown()
                gate.release()
                try await group.waitForAll()
            }
        }
        #expect(seen.entries == [1])
        let next = try makeNotes(storage: .shared(base), clock: clock)
        #expect(try await next.unreadNumbers(of: "ada") == [])
        #expect(try await next.receipt(try await next.ids()[0], of: "ada")?.status == .read)
        #expect(try await next.show(4, to: "ada") == (2...5).seen)
    }

    @Test("a loop that ends with the service has told what it was done with")
    func loopEnds() async throws {
        let base = InMemoryEventStreamStore(clock: clock)
        let (streaming, seen, latch) = (try makeNotes(storage: .shared(base), clock: clock), Journal<Int>(), Latch())
        try await streaming.place(1...5)
        try await withEventStreaming(streaming) { streaming in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await delivery in try streaming.subscribe(to: "notes", as: "ada") {
                        seen.add(delivery.number)
                        if delivery.number == 3 { try await latch.wait() }
                    }
                }
                try await seen.wait(for: 3)
                streaming.beginShutdown()
                latch.open()
                try await group.waitForAll()
            }
        }
        let next = try makeNotes(storage: .shared(base), clock: clock)
        #expect(try await next.unreadNumbers(of: "ada") == [1, 2, 3])
        #expect(try await next.show(2, to: "ada") == (4...5).seen)
    }

    @Test("a cancelled loop gives back what it had in hand, with no receipt of it")
    func cancelled() async throws {
        let (streaming, seen) = (try makeNotes(clock: clock), Journal<Delivery>())
        try await streaming.place(1...3)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = await errorCode {
                    for try await delivery in try streaming.subscribe(to: "notes", as: "ada") {
                        if delivery.number == 1 { try await delivery.markAsRead() }
                        seen.add(delivery)
                        if delivery.number == 2 { try await Latch().wait() }
                    }
                }
            }
            _ = await errorCode { try await seen.wait(for: 2) }
            group.cancelAll()
        }
        #expect(try await streaming.unreadNumbers(of: "ada") == [])
        #expect(await errorCode { try await seen.entries[1].markAsRead() } == .notDelivered)
        #expect(try await streaming.show(2, to: "ada") == (2...3).seen)
        #expect(try await streaming.unreadNumbers(of: "ada") == [2, 3])
    }
}
