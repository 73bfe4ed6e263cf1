import EventStreaming
import EventStreamingTesting
import Testing

@Suite("Batches", .timeLimit(.minutes(5)))
struct BatchTests {
    @Test("batches bring everything in order, none empty, none larger than the prefetch")
    func everything() async throws {
        let streaming = try makeOrders(mail: { $0.prefetch = 50 })
        try await streaming.place(1...1000)
        var numbers: [Int] = []
        for try await batch in try streaming.subscribe(to: "mail", as: "a").batches {
            #expect(!batch.isEmpty)
            #expect(batch.count <= 50)
            #expect(batch.records.map(\.offset) == batch.map(\.record.offset))
            numbers += batch.map(\.number)
            if numbers.count == 1000 {
                try await batch.acknowledge()
                break
            }
        }
        #expect(numbers == Array(1...1000))
        #expect(try await streaming.position()?.isFinished == true)
    }

    @Test("the next turn acknowledges the whole batch")
    func onNextTurn() async throws {
        let streaming = try makeOrders(mail: { $0.prefetch = 4 })
        try await streaming.place(1...8)
        var done = 0
        for try await batch in try streaming.subscribe(to: "mail", as: "a").batches {
            #expect(try await streaming.position()?.position == StreamOffset(Int64(done)))
            done += batch.count
            if done == 8 {
                try await batch.acknowledge()
                break
            }
        }
    }

    @Test("what was settled by itself is left as it is when the batch is acknowledged")
    func exceptions() async throws {
        let streaming = try makeOrders(mail: { $0.mode = .exclusive })
        try await streaming.place(1...6)
        for try await batch in try streaming.subscribe(to: "mail", as: "a").batches {
            #expect(batch.count == 6)
            try await batch[1].reject(.retry(after: .zero))
            try await batch[4].reject(.deadLetter, reason: "broken")
            try await batch[5].acknowledge()
            try await batch.acknowledge()
            #expect(await errorCode { try await batch[0].acknowledge() } == .leaseExpired)
            break
        }
        #expect(try await streaming.deadLetters(of: "mail").map(\.event.offset) == [StreamOffset(4)])
        #expect(try await streaming.position()?.position == StreamOffset(1))
        #expect(try await streaming.take(1, as: "a") == [Seen(2, attempt: 2)])
        #expect(try await streaming.position()?.isFinished == true)
    }

    @Test("of a batch that is left, what was acknowledged stays finished and the rest comes again")
    func leaving() async throws {
        let streaming = try makeOrders(mail: { $0.mode = .exclusive })
        try await streaming.place(1...6)
        await #expect(throws: Failure()) {
            for try await batch in try streaming.subscribe(to: "mail", as: "a").batches {
                try await batch[0].acknowledge()
                try await batch[3].acknowledge()
                throw Failure()
            }
        }
        let seen = try await streaming.take(4, as: "b")
        #expect(seen == [2, 3, 5, 6].map { Seen($0, attempt: 2) })
    }

    @Test("a batch acknowledged twice changes nothing")
    func twice() async throws {
        let streaming = try makeOrders()
        try await streaming.place(1...3)
        for try await batch in try streaming.subscribe(to: "mail", as: "a").batches {
            try await batch.acknowledge()
            #expect(await errorCode { try await batch.acknowledge() } == .leaseExpired)
            break
        }
        #expect(try await streaming.position()?.position == StreamOffset(3))
    }
}
