import EventStreaming
import EventStreamingGRPC
import EventStreamingTesting
import Testing

@Suite("A client whose connection is lost", .timeLimit(.minutes(5)))
struct ClientReconnectTests {
    /// A store that several services use one after the other.
    private static func sharedStorage() throws -> EventStreamingStorage {
        let store = try EventStreamingStorage.inMemory.makeStore(
            in: EventStreamingStorage.Environment(clock: ManualClock())
        )
        return EventStreamingStorage { _ in store }
    }

    /// Consumes until `count` are confirmed, or the client ends.
    static func consume(_ client: GRPCEventClient, _ count: Int, into received: Received) async throws {
        for try await delivery in try client.subscribe(to: "queue", as: "a") {
            received.receive(delivery)
            let refused = await code { try await delivery.acknowledge() }
            if refused == nil {
                received.acknowledged(delivery)
            } else {
                // Lost with the connection: it comes again, unless it was recorded and only the answer was lost.
                #expect(refused == .leaseExpired)
            }
            if received.acknowledged.count >= count { break }
        }
    }

    @Test("goes on where it was, wherever the connection is cut", arguments: [1, 2, 3, 4] as [UInt64])
    func cuts(seed: UInt64) async throws {
        var generator = SeededNumbers(seed: seed)
        let cuts = (0..<6).map { _ in Int.random(in: 1...6000, using: &generator) }
        try await ShopServer.run { server in
            let proxy = try LoopbackProxy(to: server.port)
            defer { proxy.close() }
            try await server.place(1...400)
            let received = Received()
            try await TestClient.run(port: proxy.port) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await Self.consume(client, .max, into: received) }
                    for cut in cuts {
                        let before = proxy.connections
                        proxy.cut(afterBytes: cut)
                        try await eventually("the connection was cut and made anew, seed \(seed), or all is done") {
                            if proxy.connections > before { return true }
                            return try await server.isQueueFinished()
                        }
                    }
                    try await eventually("everything is finished, seed \(seed)") { try await server.isQueueFinished() }
                    client.beginShutdown()
                    try await group.waitForAll()
                }
            }
            // Nothing is lost, and nothing comes again that was confirmed.
            #expect(Set(received.numbers) == Set(1...400), "seed \(seed)")
            #expect(received.afterAcknowledgement.isEmpty, "seed \(seed)")
        }
    }

    @Test("goes on when the server is killed and started again")
    func restarts() async throws {
        let storage = try Self.sharedStorage()
        let proxy = try LoopbackProxy(to: 1)
        defer { proxy.close() }
        let received = Received()
        try await TestClient.run(port: proxy.port) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await Self.consume(client, .max, into: received) }
                for round in 0..<3 {
                    try await ShopServer.run(storage: storage) { server in
                        proxy.redirect(to: server.port)
                        try await server.place((round * 100 + 1)...(round * 100 + 100))
                        if round < 2 {
                            let goal = round * 100 + 40
                            try await eventually("so many came") { Set(received.numbers).count >= goal }
                            // The process is gone without a word.
                            proxy.cut()
                        } else {
                            try await eventually("all are finished") { try await server.isQueueFinished() }
                            client.beginShutdown()
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(Set(received.numbers) == Set(1...300))
        #expect(received.afterAcknowledgement.isEmpty)
    }

    @Test("goes on when the server has shut down in good order, and nothing counts as an attempt that it had not seen")
    func gracefulRestart() async throws {
        let storage = try Self.sharedStorage()
        let proxy = try LoopbackProxy(to: 1)
        defer { proxy.close() }
        let received = Received()
        try await TestClient.run(port: proxy.port) { client in
            let loop = Task { try await Self.consume(client, 60, into: received) }
            try await ShopServer.run(storage: storage) { server in
                proxy.redirect(to: server.port)
                try await server.place(1...50)
                try await eventually("some were confirmed") { received.acknowledged.count >= 10 }
                server.provider.beginShutdown()
                try await eventually("its peers have left") { server.provider.peers.isEmpty }
            }
            try await ShopServer.run(storage: storage) { server in
                proxy.redirect(to: server.port)
                try await server.place(51...60)
                try await loop.value
            }
        }
        #expect(received.acknowledged == Set(1...60))
        #expect(received.afterAcknowledgement.isEmpty)
    }

    @Test("refuses to settle deliveries of before")
    func oldDeliveries() async throws {
        try await ShopServer.run { server in
            let proxy = try LoopbackProxy(to: server.port)
            defer { proxy.close() }
            try await server.place(1...1)
            try await TestClient.run(port: proxy.port) { client in
                var iterator = try client.subscribe(to: "queue", as: "a").makeAsyncIterator()
                let old = try #require(try await iterator.next())
                proxy.cut()
                await expectCode(.leaseExpired) { try await old.acknowledge() }
                await expectCode(.leaseExpired) { try await old.reject() }
                let again = try #require(try await iterator.next())
                #expect(again.record.id == old.record.id)
                #expect(again.attempt == 2)
                try await again.acknowledge()
            }
            #expect(try await server.isQueueFinished())
        }
    }

    @Test("ends a temporary consumer's loop in broadcast mode, as its position is gone")
    func temporary() async throws {
        try await ShopServer.run { server in
            let proxy = try LoopbackProxy(to: server.port)
            defer { proxy.close() }
            try await TestClient.run(port: proxy.port) { client in
                try await client.withSubscription(to: "news") { news in
                    proxy.cut()
                    await expectCode(.unknownConsumer) { for try await _ in news {} }
                }
            }
        }
    }
}
