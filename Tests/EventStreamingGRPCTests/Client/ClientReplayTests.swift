import EventStreaming
import EventStreamingGRPC
import EventStreamingTesting
import Testing

@Suite("A client's replays and read receipts", .timeLimit(.minutes(5)))
struct ClientReplayTests {
    private static func numbers(_ replay: GRPCReplay) async throws -> [Int] {
        var numbers: [Int] = []
        for try await event in replay {
            let order = try #require(try event.event as? OrderPlaced)
            #expect(event.offset.rawValue == Int64(order.number - 1))
            numbers.append(order.number)
        }
        return numbers
    }

    @Test("read a part of a stream, page by page, as often as wanted")
    func parts() async throws {
        try await ShopServer.run { server in
            try await TestClient.run(port: server.port) { client in
                #expect(try await Self.numbers(try await client.replay("shop")) == [])
                try await server.place(1...1000)
                let all = try await client.replay("shop")
                // What comes later does not belong to it.
                try await server.place(1001...1010)
                #expect(try await Self.numbers(all) == Array(1...1000))
                #expect(try await Self.numbers(all) == Array(1...1000))
                let (from, to) = (StreamOffset(10), StreamOffset(700))
                let part = try await client.replay("shop", from: .offset(from), to: .offset(to))
                #expect(try await Self.numbers(part) == Array(11...701))
                let other = try await client.replay("shop", eventTypes: ["Other"])
                #expect(try await Self.numbers(other) == [])
            }
        }
    }

    @Test("go on when the connection is cut", arguments: [1, 2, 3] as [UInt64])
    func cuts(seed: UInt64) async throws {
        try await ShopServer.run { server in
            let proxy = try LoopbackProxy(to: server.port)
            defer { proxy.close() }
            try await server.place(1...2000)
            try await TestClient.run(port: proxy.port) { client in
                var generator = SeededNumbers(seed: seed)
                var numbers: [Int] = []
                for try await event in try await client.replay("shop") {
                    if numbers.count % 300 == 0 {
                        proxy.cut(afterBytes: Int.random(in: 1...20_000, using: &generator))
                    }
                    numbers.append(Int(event.offset.rawValue))
                }
                #expect(numbers == Array(0..<2000), "seed \(seed)")
            }
            #expect(proxy.connections > 1, "seed \(seed)")
        }
    }

    @Test("end with the code of the server, and with the task")
    func refusals() async throws {
        try await ShopServer.run { server in
            try await server.place(1...10)
            try await TestClient.run(port: server.port) { client in
                await expectCode(.unknownStream) { _ = try await client.replay("nothing") }
                await expectCode(.invalidName) { _ = try await client.replay("two words") }
                let unknown = MessageID(high: 9, low: 9)
                await expectCode(.unknownEvent) {
                    for try await _ in try await client.replay("shop", from: .event(unknown)) {}
                }
                let task = Task {
                    await code {
                        withUnsafeCurrentTask { $0?.cancel() }
                        for try await _ in try await client.replay("shop") {}
                    }
                }
                #expect(await task.value == .cancelled)
            }
        }
    }

    // MARK: - Receipts

    @Test("a user's reading is recorded by the server, delivery by delivery and batch by batch")
    func receipts() async throws {
        try await ShopServer.run { server in
            try await server.streaming.withSubscription(to: "notes", as: "ada") { _ in }
            try await server.place(1...5)
            try await TestClient.run(port: server.port) { client in
                var count = 0
                for try await note in try client.subscribe(to: "notes", as: "ada") {
                    count += 1
                    if note.event(as: OrderPlaced.self) == OrderPlaced(number: 2) {
                        try await note.markAsRead()
                        // Again is no harm.
                        try await note.markAsRead()
                    }
                    if count == 5 {
                        try await note.acknowledge()
                        break
                    }
                }
                let unread = try await server.streaming.unread(of: "notes", for: "ada")
                #expect(unread.count == 4)
                try await server.place(6...8)
                for try await batch in try client.subscribe(to: "notes", as: "ada").batches {
                    try await batch.markAsRead()
                    if try await server.streaming.unreadCount(of: "notes", for: "ada") == 4,
                        try await server.isFinished("notes")
                    {
                        break
                    }
                }
            }
            #expect(try await server.streaming.unreadCount(of: "notes", for: "ada") == 4)
        }
    }

    @Test("where there are no receipts, marking is refused, and the loop goes on")
    func noReceipts() async throws {
        try await ShopServer.run { server in
            try await server.place(1...2)
            try await TestClient.run(port: server.port) { client in
                var count = 0
                for try await delivery in try client.subscribe(to: "queue", as: "a") {
                    await expectCode(.unsupported) { try await delivery.markAsRead() }
                    count += 1
                    if count == 2 { break }
                }
            }
        }
    }
}
