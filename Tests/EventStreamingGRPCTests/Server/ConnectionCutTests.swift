import EventStreaming
import EventStreamingGRPC
import EventStreamingTesting
import GRPCCore
import Synchronization
import Testing

@Suite("Connections that break off", .timeLimit(.minutes(2)))
struct ConnectionCutTests {
    /// The events come again at once, however often.
    private static let settings = TestServer.Settings.with(subscriptions: { subscription in
        subscription.retry.initialDelay = .zero
        subscription.retry.maximumAttempts = 10_000
    })

    @Test(
        "cut in the middle of a frame in either direction, lose nothing and disturb nobody else",
        arguments: [11, 12, 13, 14] as [UInt64], [true, false]
    )
    func cuts(seed: UInt64, fromServer: Bool) async throws {
        let count = 200
        try await TestServer.run(Self.settings) { server in
            let proxy = try LoopbackProxy(to: server.port)
            defer { proxy.close() }
            try await server.place(1...count)
            let confirmed = Confirmed()
            let cuts = try await withThrowingTaskGroup(of: Void.self, returning: Int.self) { group in
                // Somebody else, whose one call goes on all the time.
                group.addTask {
                    try await server.withSubscriber("news", as: "bystander") { bystander in
                        _ = try await bystander.opened()
                        while !confirmed.isOver {
                            bystander.send { $0.heartbeat = WireClientHeartbeat() }
                            let frame = try await bystander.next()
                            try #require(frame != nil, "seed \(seed)")
                        }
                    }
                }
                var random = SeededNumbers(seed: seed)
                var (connections, cuts) = (0, 0)
                while try await server.position < count {
                    try #require(connections < 1000, "seed \(seed)")
                    connections += 1
                    proxy.cut(
                        afterBytes: Int.random(in: 1...(fromServer ? 3000 : 600), using: &random),
                        fromServer: fromServer)
                    do {
                        try await Self.work(at: server.reached(by: proxy.port), until: count, confirmed)
                    } catch {
                        // Cut, wherever that was.
                        cuts += 1
                    }
                }
                confirmed.end()
                try await group.waitForAll()
                return cuts
            }
            #expect(cuts > 0, "seed \(seed)")
            #expect(confirmed.seen == Set(0..<Int64(count)), "seed \(seed)")
            #expect(confirmed.again.isEmpty, "seed \(seed)")
            #expect(try await server.streaming.deadLetters(of: "queue").isEmpty, "seed \(seed)")
        }
    }

    /// Settles one event after the other, some of all there are, and notes those whose settlement was confirmed.
    private static func work(at server: TestServer, until count: Int, _ confirmed: Confirmed) async throws {
        try await server.withSubscriber(as: "a", credit: (10, 1 << 20)) { peer in
            _ = try await peer.opened()
            var sequence: UInt64 = 0
            while sequence < 30, try await server.position < count {
                let batch = try await peer.batch()
                for event in batch.events {
                    confirmed.see(event.offset)
                }
                for event in batch.events {
                    sequence += 1
                    peer.settle(sequence, batch, completed: event.offset..<event.offset + 1)
                    if try await peer.settled().hasError == false {
                        confirmed.add(event.offset)
                    }
                }
                peer.allow(events: Int64(batch.events.count), bytes: 10_000)
            }
        }
    }

    @Test("closed by the peer for writing only, end the call, and what was held goes to another")
    func halfClosedSocket() async throws {
        try await TestServer.run(Self.settings) { server in
            try await server.place(1...3)
            try await RawSocket.with(port: server.port) { socket in
                socket.send(RawCall.subscribe("queue", as: "a"))
                try await eventually("the peer holds what there is") {
                    try await server.streaming.consumers(of: "queue").first?.inFlight == 3
                }
                socket.closeForWriting()
                try await server.withSubscriber(as: "b") { peer in
                    _ = try await peer.opened()
                    let batch = try await peer.batch()
                    #expect(batch.numbers == [1, 2, 3])
                }
            }
            try await eventually("it is listed as gone") {
                try await server.streaming.consumers(of: "queue").allSatisfy { !$0.isConnected }
            }
            #expect(server.provider.peers.isEmpty)
        }
    }
}

extension TestServer {
    /// Up to where the queue is finished.
    fileprivate var position: Int {
        get async throws { Int(try await streaming.progress(of: "queue").first?.position.rawValue ?? 0) }
    }
}

/// What came, and what was finished and confirmed: nothing of that may come again.
private final class Confirmed: Sendable {
    private struct State {
        var offsets: Set<Int64> = []
        var seen: Set<Int64> = []
        var again: [Int64] = []
        var isOver = false
    }

    private let state = Mutex(State())

    var seen: Set<Int64> { state.withLock { $0.seen } }
    var again: [Int64] { state.withLock { $0.again } }
    var isOver: Bool { state.withLock { $0.isOver } }

    func see(_ offset: Int64) {
        state.withLock { state in
            state.seen.insert(offset)
            if state.offsets.contains(offset) { state.again.append(offset) }
        }
    }

    func add(_ offset: Int64) {
        _ = state.withLock { $0.offsets.insert(offset) }
    }

    func end() {
        state.withLock { $0.isOver = true }
    }
}
