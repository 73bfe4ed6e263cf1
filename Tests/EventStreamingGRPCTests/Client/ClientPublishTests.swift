import EventStreaming
import EventStreamingGRPC
import EventStreamingTesting
import Testing

struct CountOrders: Query, Codable {
    typealias Response = Int
    var isExact: Bool
}

struct SubmitOrder: Command, Codable {
    typealias Response = Int
    var number: Int
}

@Suite("A client's emitter and buses", .timeLimit(.minutes(5)))
struct ClientPublishTests {
    private static func stored(_ server: ShopServer) async throws -> [Int] {
        var numbers: [Int] = []
        for try await event in try await server.streaming.replay(OrderPlaced.self) {
            numbers.append(event.event.number)
        }
        return numbers
    }

    @Test("append to the server's streams, each call as one, many at a time")
    func emit() async throws {
        try await ShopServer.run { server in
            try await TestClient.run(port: server.port) { client in
                let one = try await client.emitter.emit(
                    OrderPlaced(number: 0), in: WorkflowID("w-1"), headers: ["a": "b"])
                #expect(one.offsets == StreamOffset(0)..<StreamOffset(1))
                try await withThrowingTaskGroup(of: AppendResult?.self) { group in
                    for call in 0..<50 {
                        group.addTask {
                            try await client.emitter.emit((1...10).map { OrderPlaced(number: call * 10 + $0) })
                        }
                    }
                    for try await result in group {
                        let offsets = try #require(result?.offsets)
                        #expect(offsets.lowerBound.distance(to: offsets.upperBound) == 10)
                    }
                }
            }
            #expect(try await Self.stored(server).sorted() == Array(0...500))
            for try await event in try await server.streaming.replay("shop") where event.offset == StreamOffset(0) {
                #expect(event.record.correlationID == (try WorkflowID("w-1")))
                #expect(event.record.headers["a"] == "b")
            }
        }
    }

    @Test("tell what the server refuses, with its code")
    func refusals() async throws {
        try await ShopServer.run { server in
            try await TestClient.run(port: server.port) { client in
                let id = MessageID(high: 1, low: 2)
                try await client.emitter.emit(OrderPlaced(number: 1), id: id)
                let again = try await client.emitter.emit(OrderPlaced(number: 1), id: id)
                #expect(again.isDuplicate)
                await expectCode(.eventIDConflict) { try await client.emitter.emit(OrderPlaced(number: 2), id: id) }
                do throws(EventStreamingError) {
                    try await client.emitter.emit(OrderPlaced(number: 3), expecting: .exactly(StreamOffset(7)))
                    Issue.record("It was appended.")
                } catch {
                    #expect(error.code == .wrongExpectedVersion)
                    #expect(error.actualLength == 1)
                }
            }
            #expect(try await Self.stored(server) == [1])
        }
    }

    @Test("keep each event once, wherever the connection is cut", arguments: [1, 2, 3] as [UInt64])
    func cuts(seed: UInt64) async throws {
        var generator = SeededNumbers(seed: seed)
        let cuts = (0..<5).map { _ in Int.random(in: 1...1500, using: &generator) }
        try await ShopServer.run { server in
            let proxy = try LoopbackProxy(to: server.port)
            defer { proxy.close() }
            try await TestClient.run(port: proxy.port) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for lane in 0..<8 {
                        group.addTask {
                            for number in 0..<60 {
                                try await client.emitter.emit(OrderPlaced(number: lane * 60 + number))
                            }
                        }
                    }
                    group.addTask {
                        for cut in cuts {
                            let before = proxy.connections
                            proxy.cut(afterBytes: cut)
                            try await eventually("the connection was cut and made anew, or all is published") {
                                let published = try await server.streaming.metadata(of: "shop").length
                                return proxy.connections > before || published == 480
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let numbers = try await Self.stored(server)
            #expect(numbers.count == 480, "seed \(seed)")
            #expect(Set(numbers) == Set(0..<480), "seed \(seed)")
            for lane in 0..<8 {
                let own = numbers.filter { $0 / 60 == lane }
                #expect(own == own.sorted(), "seed \(seed)")
            }
        }
    }

    @Test("give up when the call's time is over; without any, at once")
    func deadlines() async throws {
        let proxy = try LoopbackProxy(to: 1)
        defer { proxy.close() }
        for timeout in [Duration.zero, .milliseconds(100)] {
            try await TestClient.run(port: proxy.port) { options in
                options.callTimeout = timeout
            } configure: { client in
                client.addQuery(CountOrders.self)
            } _: { client in
                await expectCode(.timedOut) { try await client.emitter.emit(OrderPlaced(number: 1)) }
                await expectCode(.timedOut) { _ = try await client.queries.ask(CountOrders(isExact: true)) }
            }
        }
    }

    @Test("take commands and queries to the server, a command with a key once")
    func messages() async throws {
        let messages = RemoteMessages { messages in
            messages.offer(SubmitOrder.self)
            messages.offer(CountOrders.self)
        }
        try await ShopServer.run(messages: messages) { streaming in
            streaming.commands.on(SubmitOrder.self, in: ShopWorkflow.self) { command, workflow in
                workflow.emit(OrderPlaced(number: command.number))
                return command.number * 2
            }
            streaming.queries.on(CountOrders.self) { query in query.isExact ? 42 : 40 }
        } _: { server in
            let client = try TestClient.make(
                port: server.port,
                configure: { client in
                    client.addCommand(SubmitOrder.self)
                    client.addQuery(CountOrders.self)
                })
            try await withGRPCEventClient(client) { client in
                let doubled = try await client.commands.send(SubmitOrder(number: 21))
                #expect(doubled == 42)
                let first = try await client.commands.send(SubmitOrder(number: 1), idempotencyKey: "k")
                #expect(first == 2)
                let again = try await client.commands.send(SubmitOrder(number: 1), idempotencyKey: "k")
                #expect(again == 2)
                let count = try await client.queries.ask(CountOrders(isExact: false))
                #expect(count == 40)
                let conflict = await code {
                    _ = try await client.commands.send(SubmitOrder(number: 5), idempotencyKey: "k")
                }
                #expect(conflict == .idempotencyKeyConflict)
            }
            #expect(try await Self.stored(server) == [21, 1])
        }
    }

    @Test("are refused what the server does not offer")
    func notOffered() async throws {
        try await ShopServer.run { server in
            let client = try TestClient.make(
                port: server.port,
                configure: { client in
                    client.addCommand(SubmitOrder.self)
                })
            try await withGRPCEventClient(client) { client in
                await expectCode(.unsupported) { _ = try await client.commands.send(SubmitOrder(number: 1)) }
            }
        }
    }
}
