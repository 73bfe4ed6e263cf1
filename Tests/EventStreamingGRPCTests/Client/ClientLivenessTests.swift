import EventStreaming
import EventStreamingGRPC
import EventStreamingTesting
import GRPCCore
import InMemoryLogging
import Logging
import Testing

/// Time is moved by hand: what is found out is found out after 15 seconds of the client's clock, however busy the machine is.
@Suite("A client whose server is gone without a word", .timeLimit(.minutes(5)))
struct ClientLivenessTests {
    private let log = InMemoryLogHandler()

    private func run(
        port: Int,
        _ clock: ManualClock,
        _ body: @escaping @Sendable (GRPCEventClient) async throws -> Void
    ) async throws {
        try await TestClient.run(port: port) { options in
            options.callTimeout = .seconds(600)
        } configure: { [log] client in
            client.options.clock = clock
            client.options.logger = Logger(label: "test") { _ in log }
            client.addQuery(CountOrders.self)
        } _: { client in
            try await body(client)
        }
    }

    /// Lets time pass, much faster than it does, until the client gives its connection up.
    private func passUntilGivenUp(_ clock: ManualClock) async throws {
        let began = clock.uptime
        try await eventually("the connection is given up") {
            if log.entries.contains(where: { "\($0.message)".hasPrefix("Nothing is heard") }) { return true }
            clock.advance(by: .milliseconds(100))
            return false
        }
        // Not before the server was asked, and had its time to answer; the last may have been heard a moment ago.
        #expect(clock.uptime - began > .seconds(14))
    }

    /// Lets time pass as it does, until something has come about.
    private static func flow(
        _ clock: ManualClock,
        until what: String,
        _ condition: () async throws -> Bool
    ) async throws {
        try await eventually(what) {
            if try await condition() { return true }
            clock.advance(by: .milliseconds(2))
            return false
        }
    }

    @Test("gives the connection up, and goes on over another one")
    func halfOpen() async throws {
        try await ShopServer.run { server in
            let proxy = try LoopbackProxy(to: server.port)
            defer { proxy.close() }
            let (clock, received) = (ManualClock(), Received())
            try await run(port: proxy.port, clock) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await ClientReconnectTests.consume(client, 20, into: received) }
                    try await server.place(1...10)
                    try await eventually("the first were confirmed") { received.acknowledged.count == 10 }
                    proxy.swallow()
                    try await server.place(11...20)
                    try await passUntilGivenUp(clock)
                    // The server has not noticed yet, and holds what it had sent for the lost connection; the name is taken
                    // over.
                    try await Self.flow(clock, until: "all were confirmed") { received.acknowledged.count == 20 }
                    try await group.waitForAll()
                }
            }
            #expect(received.acknowledged == Set(1...20))
            #expect(received.afterAcknowledgement.isEmpty)
        }
    }

    @Test("gives up a connection that was made and never answered")
    func neverAnswered() async throws {
        try await ShopServer.run { server in
            try await server.place(1...1)
            let proxy = try LoopbackProxy(to: server.port)
            defer { proxy.close() }
            proxy.swallowNew(true)
            let (clock, received) = (ManualClock(), Received())
            try await run(port: proxy.port, clock) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await ClientReconnectTests.consume(client, 1, into: received) }
                    try await eventually("it is connected") { proxy.connections == 1 }
                    proxy.swallowNew(false)
                    try await passUntilGivenUp(clock)
                    try await Self.flow(clock, until: "all were confirmed") { received.acknowledged.count == 1 }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("notices when all calls were over once, too")
    func afterOtherCalls() async throws {
        try await ShopServer.run { server in
            try await server.place(1...1)
            let proxy = try LoopbackProxy(to: server.port)
            defer { proxy.close() }
            let (clock, received) = (ManualClock(), Received())
            try await run(port: proxy.port, clock) { client in
                await expectCode(.unsupported) { _ = try await client.queries.ask(CountOrders(isExact: true)) }
                proxy.swallow()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await ClientReconnectTests.consume(client, 1, into: received) }
                    // The time begins with the call.
                    try await clock.waitForSleepers(3)
                    try await passUntilGivenUp(clock)
                    try await Self.flow(clock, until: "all were confirmed") { received.acknowledged.count == 1 }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("publishes over the next connection, once; questions fail")
    func publishing() async throws {
        try await ShopServer.run { server in
            let proxy = try LoopbackProxy(to: server.port)
            defer { proxy.close() }
            let clock = ManualClock()
            try await run(port: proxy.port, clock) { client in
                try await client.emitter.emit(OrderPlaced(number: 1))
                proxy.swallow()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await client.emitter.emit(OrderPlaced(number: 2)) }
                    group.addTask {
                        await expectCode(.storeUnavailable) {
                            _ = try await client.queries.ask(CountOrders(isExact: true))
                        }
                    }
                    try await passUntilGivenUp(clock)
                    try await Self.flow(clock, until: "it is published") {
                        try await server.streaming.metadata(of: "shop").length == 2
                    }
                    try await group.waitForAll()
                }
            }
            #expect(try await server.streaming.metadata(of: "shop").length == 2)
        }
    }

    @Test("keeps a connection over which there is only nothing to say")
    func quiet() async throws {
        let quiet: ScriptedPeer.Script = { requests, writer in
            try await writer.write(.opened(heartbeatInterval: 3_600_000))
            for try await _ in requests {}
        }
        try await ScriptedPeer.run([quiet]) { peer, port in
            let proxy = try LoopbackProxy(to: port)
            defer { proxy.close() }
            let clock = ManualClock()
            try await TestClient.run(port: proxy.port) { options in
                // However long an answer takes on this machine.
                options.keepAliveTimeout = .seconds(1_000_000)
                options.closeTimeout = .zero
            } configure: { client in
                client.options.clock = clock
            } _: { client in
                try await client.withSubscription(to: "queue", as: "a") { _ in
                    for count in 1...5 {
                        // The next is asked when the last was answered.
                        try await eventually("it is asked") {
                            if peer.healthChecks >= count { return true }
                            clock.advance(by: .milliseconds(100))
                            return false
                        }
                    }
                }
            }
            #expect(proxy.connections == 1)
            #expect(peer.callCount == 1)
        }
    }
}
