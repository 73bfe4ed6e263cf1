import EventStreaming
import EventStreamingGRPC
import EventStreamingTesting
import Testing

@Suite("A client's loops", .timeLimit(.minutes(5)))
struct ClientSubscribeTests {
    @Test("get the events of the server in order, and finish them", arguments: ["queue", "news", "group"])
    func consume(_ subscription: String) async throws {
        try await ShopServer.run { server in
            if subscription == "news" {
                try await server.streaming.withSubscription(to: subscription, as: "a") { _ in }
            }
            try await server.place(1...500)
            try await TestClient.run(port: server.port) { client in
                var numbers: [Int] = []
                for try await delivery in try client.subscribe(to: subscription, as: "a") {
                    numbers.append(try #require(delivery.event(as: OrderPlaced.self)).number)
                    #expect(delivery.attempt == 1)
                    #expect(delivery.subscription.rawValue == subscription)
                    if numbers.count == 500 {
                        try await delivery.acknowledge()
                        break
                    }
                }
                #expect(numbers == Array(1...500))
            }
            let progress = try await server.streaming.progress(of: subscription)
            #expect(progress.map(\.lag) == [0])
        }
    }

    @Test("get batches, and what they do not acknowledge comes again, with another attempt")
    func batches() async throws {
        try await ShopServer.run { server in
            try await server.place(1...40)
            try await TestClient.run(port: server.port) { client in
                var attempts: [Int: [Int]] = [:]
                loop: for try await batch in try client.subscribe(to: "queue", as: "a").batches {
                    for delivery in batch {
                        let order = try #require(delivery.event(as: OrderPlaced.self))
                        attempts[order.number, default: []].append(delivery.attempt)
                        if order.number == 7, delivery.attempt == 1 {
                            try await delivery.reject(.retry(after: .zero), reason: "once more")
                        }
                    }
                    try await batch.acknowledge()
                    if attempts.count == 40, attempts[7]?.count == 2 { break loop }
                }
                #expect(attempts.filter { $0.value != [1] } == [7: [1, 2]])
            }
            try await eventually("everything is finished") {
                try await server.streaming.progress(of: "queue").allSatisfy { $0.lag == 0 && $0.inFlight == 0 }
            }
        }
    }

    @Test("see what is emitted while they wait, by the same client")
    func live() async throws {
        try await ShopServer.run { server in
            try await TestClient.run(port: server.port) { client in
                try await client.withSubscription(to: "news", from: .latest) { news in
                    try await client.emitter.emit((1...3).map { OrderPlaced(number: $0) })
                    var numbers: [Int] = []
                    for try await delivery in news {
                        numbers.append(try #require(delivery.event(as: OrderPlaced.self)).number)
                        if numbers.count == 3 { break }
                    }
                    #expect(numbers == [1, 2, 3])
                }
            }
        }
    }

    @Test("share a queue with those of other processes")
    func competing() async throws {
        try await ShopServer.run { server in
            try await server.place(1...300)
            let received = Received()
            try await TestClient.run(port: server.port) { first in
                try await TestClient.run(port: server.port) { second in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for (client, name) in [(first, "a"), (second, "b")] {
                            group.addTask {
                                for try await delivery in try client.subscribe(to: "queue", as: name) {
                                    received.receive(delivery)
                                    try await delivery.acknowledge()
                                    received.acknowledged(delivery)
                                }
                            }
                        }
                        try await eventually("all are finished") { received.acknowledged.count == 300 }
                        first.beginShutdown()
                        second.beginShutdown()
                        try await group.waitForAll()
                    }
                }
            }
            #expect(received.numbers.sorted() == Array(1...300))
        }
    }

    @Test("give back at once what they hold when they are left, and a shutdown counts no attempt")
    func leaving() async throws {
        try await ShopServer.run { server in
            try await server.place(1...20)
            try await TestClient.run(port: server.port) { client in
                for try await delivery in try client.subscribe(to: "queue", as: "a") {
                    #expect(delivery.record.offset == StreamOffset(0))
                    break
                }
            }
            try await TestClient.run(port: server.port) { client in
                var attempts: [Int] = []
                for try await delivery in try client.subscribe(to: "queue", as: "a") {
                    attempts.append(delivery.attempt)
                    if attempts.count == 20 { break }
                }
                // The one in hand counts, those that nobody had seen do not.
                #expect(attempts.sorted() == Array(repeating: 1, count: 19) + [2])
            }
        }
    }

    @Test("end with the code of the server where another attempt would be for nothing")
    func fatal() async throws {
        try await ShopServer.run { server in
            try await TestClient.run(port: server.port) { client in
                let unknown = await code {
                    for try await _ in try client.subscribe(to: "nothing", as: "a") {}
                }
                #expect(unknown == .unknownSubscription)
                let invalid = await code { _ = try client.subscribe(to: "two words", as: "a") }
                #expect(invalid == .invalidName)
            }
        }
    }

    @Test("end when another consumer takes over their name")
    func replaced() async throws {
        try await ShopServer.run { server in
            try await TestClient.run(port: server.port) { client in
                try await client.withSubscription(to: "queue", as: "a") { first in
                    try await withThrowingTaskGroup(of: EventStreamingError.Code?.self) { group in
                        group.addTask { await code { for try await _ in first {} } }
                        try await client.withSubscription(to: "queue", as: "a") { second in
                            try await server.place(1...1)
                            for try await delivery in second {
                                #expect(delivery.event(as: OrderPlaced.self) == OrderPlaced(number: 1))
                                break
                            }
                            server.clock.advance(by: .seconds(15))
                            #expect(try await group.next() == .consumerReplaced)
                        }
                    }
                }
            }
        }
    }

    @Test("end when their task is cancelled, also before there is a server, and nothing counts as an attempt")
    func cancellation() async throws {
        let proxy = try LoopbackProxy(to: 1)
        defer { proxy.close() }
        try await TestClient.run(port: proxy.port) { client in
            let loop = Task { await code { for try await _ in try client.subscribe(to: "queue", as: "a") {} } }
            loop.cancel()
            #expect(await loop.value == .cancelled)
        }
    }

    @Test("wait for a server that comes later")
    func early() async throws {
        let proxy = try LoopbackProxy(to: 1)
        defer { proxy.close() }
        try await TestClient.run(port: proxy.port) { client in
            let first = Task {
                for try await delivery in try client.subscribe(to: "queue", as: "a") {
                    return delivery.event(as: OrderPlaced.self)
                }
                return nil
            }
            try await ShopServer.run { server in
                proxy.redirect(to: server.port)
                try await server.place(1...1)
                #expect(try await first.value == OrderPlaced(number: 1))
            }
        }
    }

    @Test("hold back: a loop that does not ask for more gets no more than it may have in hand and on the way")
    func backPressure() async throws {
        try await ShopServer.run { server in
            try await server.place(1...5000)
            try await TestClient.run(port: server.port) { options in
                options.prefetch = 10
            } _: { client in
                for try await delivery in try client.subscribe(to: "queue", as: "a") {
                    #expect(delivery.record.offset == StreamOffset(0))
                    try await eventually("the server has sent what was allowed") {
                        try await server.streaming.progress(of: "queue").contains { $0.inFlight == 20 }
                    }
                    break
                }
                #expect(try await server.streaming.progress(of: "queue").allSatisfy { $0.inFlight <= 20 })
            }
        }
    }
}
