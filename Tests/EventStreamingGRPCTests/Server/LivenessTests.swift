import EventStreaming
import EventStreamingGRPC
import EventStreamingTesting
import GRPCCore
import Testing

@Suite("Signs of life over the wire", .timeLimit(.minutes(5)))
struct LivenessTests {
    @Test("a peer that is silent for three heartbeats is given up, and what it held comes again")
    func silence() async throws {
        try await TestServer.run(.with(subscriptions: { $0.retry.initialDelay = .zero })) { server in
            try await server.place(1...2)
            // No credit is left, so that what it held cannot come again to itself when its time is up.
            try await server.withSubscriber(as: "a", credit: (2, 1000)) { peer in
                let opened = try await peer.opened()
                #expect(opened.heartbeatIntervalMs == 10_000)
                _ = try await peer.batch()
                // In steps, as time passes: the server gives its own heartbeats on the way.
                for _ in 0..<3 {
                    try await server.clock.waitForSleepers(1)
                    server.clock.advance(by: .seconds(10))
                }
                let end = try await peer.end()
                #expect(end.code == "eventStreaming.timedOut")
            }
            try await server.withSubscriber(as: "b") { peer in
                _ = try await peer.opened()
                let batch = try await peer.batch()
                #expect(batch.numbers == [1, 2])
                #expect(batch.attempt == 2)
            }
        }
    }

    @Test("a peer that gives signs of life keeps what it holds as long as it says so")
    func extended() async throws {
        try await TestServer.run { server in
            try await server.place(1...2)
            try await server.withSubscriber(as: "a", credit: (2, 1000)) { peer in
                _ = try await peer.opened()
                let batch = try await peer.batch()
                for round in 1...12 {
                    peer.send { $0.heartbeat.extendedLeases = [batch.leaseEpoch] }
                    // A heartbeat may be one of the server's own; an answer to this says that it has read the one above.
                    peer.send { frame in
                        frame.markRead.sequence = UInt64(round)
                        frame.markRead.unreadBefore = -1
                    }
                    while try await peer.settled().sequence != round {}
                    try await server.clock.waitForSleepers(1)
                    server.clock.advance(by: .seconds(10))
                    let now = server.clock.now
                    try await eventually("the store has the sign of life") {
                        try await server.streaming.consumers(of: "queue").first?.lastSeenAt == now
                    }
                }
                peer.settle(13, batch)
                let isRefused = try await peer.settled().hasError
                #expect(isRefused == false)
            }
        }
    }

    @Test("a call that never says what it is for is ended")
    func noOpen() async throws {
        try await TestServer.run { server in
            try await server.withClient { client in
                try await RawSubscriber.with(client) { peer in
                    try await server.clock.waitForSleepers(1)
                    server.clock.advance(by: .seconds(10))
                    let end = try await peer.end()
                    #expect(end.code == "eventStreaming.timedOut")
                }
            }
        }
    }

    @Test("on a shutdown, consumers may settle what they hold, and are told to connect elsewhere")
    func shutdown() async throws {
        try await TestServer.run { server in
            try await server.place(1...3)
            try await server.withSubscriber(as: "a") { peer in
                _ = try await peer.opened()
                let batch = try await peer.batch()
                server.provider.beginShutdown()
                while let frame = try await peer.next() {
                    if case .heartbeat(let heartbeat) = frame.frame, heartbeat.isDraining { break }
                }
                peer.settle(1, batch)
                let isRefused = try await peer.settled().hasError
                #expect(isRefused == false)
                let end = try await peer.end()
                #expect(end.closing?.reason == .shuttingDown)
                #expect(end.code == "eventStreaming.shuttingDown")
            }
            let position = try await server.streaming.progress(of: "queue").first?.position
            #expect(position == StreamOffset(3))
            #expect(await server.provider.health.state == .ended)
            #expect(try await server.streaming.consumers(of: "queue").allSatisfy { !$0.isConnected })
        }
    }

    @Test("on a shutdown, what is not settled in time is given back without counting an attempt")
    func shutdownWithoutAnswer() async throws {
        try await TestServer.run { server in
            try await server.place(1...3)
            try await server.withSubscriber(as: "a") { peer in
                _ = try await peer.opened()
                _ = try await peer.batch()
                server.provider.beginShutdown()
                while let frame = try await peer.next() {
                    if case .heartbeat(let heartbeat) = frame.frame, heartbeat.isDraining { break }
                }
                server.clock.advance(by: .seconds(5))
                let reason = try await peer.end().closing?.reason
                #expect(reason == .shuttingDown)
            }
            var attempts: [Int] = []
            for try await delivery in try server.streaming.subscribe(to: "queue", as: "b") {
                attempts.append(delivery.attempt)
                if attempts.count == 3 { break }
            }
            #expect(attempts == [1, 1, 1])
        }
    }
}
