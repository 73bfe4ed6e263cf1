#if PostgreSQL
import EventStreaming
import EventStreamingGRPC
import EventStreamingPostgreSQL
import EventStreamingTesting
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import PostgreSQLTesting
import Testing

/// The store of a service is away while clients are at work.
@Suite("A store that is away", .serialized, .timeLimit(.minutes(5)))
struct StoreOutageCrashTests {
    @Test("clients are told by a code that says try again, and go on by themselves when it is back")
    func outage() async throws {
        let database = try PostgreSQLServer(.durable)
        defer { database.stop() }
        let received = Received()
        try await ShopServer.run(storage: .postgreSQL(url: database.url())) { service in
            service.options.clock = SystemClock()
        } options: { options in
            // What waits for the store must not keep the server from ending.
            options.drainTimeout = .seconds(1)
        } _: { server in
            try await TestClient.run(port: server.port) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await Self.consume(client, 90, into: received) }
                    for round in 0..<3 {
                        let first = round * 30
                        for number in (first + 1)...(first + 20) {
                            try await client.emitter.emit(OrderPlaced(number: number))
                        }
                        try await eventually("what was there before the outage is confirmed") {
                            received.acknowledged.count >= first + 20
                        }
                        try database.stopForNow()
                        try await Self.expectUnavailable(port: server.port)
                        await expectCode(.storeUnavailable) {
                            try await client.emitter.emit(OrderPlaced(number: first + 21))
                        }
                        try database.startAgain()
                        // The same client, the same loop.
                        for number in (first + 21)...(first + 30) {
                            try await Self.untilAvailable {
                                try await client.emitter.emit(OrderPlaced(number: number))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(received.acknowledged == Set(1...90))
            #expect(received.afterAcknowledgement.isEmpty)
            #expect(try await server.streaming.metadata(of: "shop").length == 90)
        }
    }

    /// Consumes until so many are confirmed.
    private static func consume(_ client: GRPCEventClient, _ count: Int, into received: Received) async throws {
        for try await delivery in try client.subscribe(to: "queue", as: "a") {
            received.receive(delivery)
            if await code({ try await delivery.acknowledge() }) == nil {
                received.acknowledged(delivery)
            }
            if received.acknowledged.count == count { return }
        }
    }

    /// While the store comes back, connections that have broken may still be found out.
    private static func untilAvailable(_ body: () async throws -> Void) async throws {
        try await eventually("the store is available") { await code(body) == nil }
    }

    /// What clients in any language see.
    private static func expectUnavailable(port: Int) async throws {
        try await withGRPCClient(
            transport: try .http2NIOPosix(
                target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext)
        ) { client in
            let delivery = WireEventDelivery.Client(wrapping: client)
            let publish = await status {
                var request = WirePublishRequest()
                request.stream = "shop"
                var event = WireNewEvent()
                event.type = "OrderPlaced"
                event.payloadBytes = Array("{}".utf8)
                request.events = [event]
                _ = try await delivery.publish(request)
            }
            #expect(publish == "unavailable eventStreaming.storeUnavailable")
            let subscribe = await status {
                try await RawSubscriber.with(client) { peer in
                    peer.send { frame in
                        frame.open.protocolVersion = 1
                        frame.open.subscription = "queue"
                        frame.open.consumer = "b"
                    }
                    while try await peer.next() != nil {}
                }
            }
            #expect(subscribe == "unavailable eventStreaming.storeUnavailable")
        }
    }

    private static func status(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch let error as RPCError {
            return "\(error.code) \(error.wireCode ?? "without a code")"
        } catch {
            return "\(error)"
        }
    }
}
#endif
