import EventStreaming
import EventStreamingGRPC
import EventStreamingSQLite
import EventStreamingTesting
import Foundation
import ProcessTesting
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Kills processes at both ends of the wire.
@Suite("Processes that are killed", .serialized, .timeLimit(.minutes(3)))
struct ProcessCrashTests {
    /// A server in this process, by the time of this machine.
    private static func settings(lease: Duration) -> TestServer.Settings {
        .with { service in
            service.options.clock = SystemClock()
        } subscriptions: { subscription in
            subscription.retry.initialDelay = .zero
            subscription.retry.maximumAttempts = 100
            subscription.visibilityTimeout = lease
            subscription.consumerTimeout = lease
        }
    }

    /// Calls `body` while a process of its own holds all of these orders and another consumer, of this process, has none.
    private static func withHolder(
        of count: Int,
        at server: TestServer,
        _ body: @escaping @Sendable (Program, _ heir: Received) async throws -> Void
    ) async throws {
        try await server.place(1...count)
        try await withProgram(at: builtProgram("GRPCProbe"), ["hold", "\(server.port)", "mortal"]) { mortal in
            _ = try await mortal.lines(until: "got 1")
            try await eventually("the process holds everything") {
                try await server.consumer("mortal")?.inFlight == count
            }
            let received = Received()
            try await TestClient.run(port: server.port) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for try await delivery in try client.subscribe(to: "queue", as: "heir") {
                            received.receive(delivery)
                            try await delivery.acknowledge()
                            received.acknowledged(delivery)
                        }
                    }
                    try await eventually("the heir is there") {
                        try await server.consumer("heir")?.isConnected == true
                    }
                    #expect(received.count == 0)
                    try await body(mortal, received)
                    client.beginShutdown()
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("a client that holds events: another has them within the lease, and it is listed as gone")
    func clientKilled() async throws {
        let lease = Duration.seconds(20)
        try await TestServer.run(Self.settings(lease: lease)) { server in
            try await Self.withHolder(of: 20, at: server) { mortal, heir in
                try mortal.kill()
                let killed = ContinuousClock.now
                try await eventually("the heir has finished everything") { heir.acknowledged == Set(1...20) }
                #expect(ContinuousClock.now - killed < lease)
                #expect(try await mortal.outcome().signal == SIGKILL)
                try await eventually("it is listed as gone") {
                    try await server.consumer("mortal")?.isConnected == false
                }
                #expect(server.provider.peers.map(\.consumer.rawValue) == ["heir"])
            }
        }
    }

    @Test(
        "a client that stands still for longer than its lease: another has its events, and it cannot finish them any more"
    )
    func clientStopped() async throws {
        try await TestServer.run(Self.settings(lease: .seconds(3))) { server in
            try await Self.withHolder(of: 20, at: server) { mortal, heir in
                try mortal.send(SIGSTOP)
                // Its connection stays: only its silence tells.
                try await eventually("the heir has finished everything") { heir.acknowledged == Set(1...20) }
                try mortal.send(SIGCONT)
                try await mortal.write("acknowledge\n")
                let answer = try await mortal.lines(until: "refused").last
                #expect(answer == "refused eventStreaming.leaseExpired")
                let progress = try await server.streaming.progress(of: "queue").first
                #expect(progress?.position == StreamOffset(20))
            }
        }
    }

    @Test("a server that is killed and started again: clients go on, miss nothing and keep everything once")
    func serverKilled() async throws {
        let count = 400
        let folder = FileManager.default.temporaryDirectory.appending(path: "grpc-crash-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "events").path
        let seed = UInt64.random(in: 1 ... .max)
        let proxy = try LoopbackProxy(to: 1)
        defer { proxy.close() }
        let received = Received()
        let emitted = Done()
        try await TestClient.run(port: proxy.port) { options in
            options.callTimeout = .seconds(60)
        } _: { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // To the end: what was recorded and not answered is not told of again.
                    for try await delivery in try client.subscribe(to: "queue", as: "a") {
                        received.receive(delivery)
                        if await code({ try await delivery.acknowledge() }) == nil {
                            received.acknowledged(delivery)
                        }
                    }
                }
                group.addTask {
                    for number in 1...count {
                        try await client.emitter.emit(OrderPlaced(number: number))
                        emitted.add(Int64(number))
                    }
                }
                var random = SeededNumbers(seed: seed)
                var goal = 0
                for _ in 1...5 {
                    goal = min(count - 40, goal + Int.random(in: 1...80, using: &random))
                    try await Self.withServer(file) { server, port in
                        proxy.redirect(to: port)
                        try await eventually("\(goal) are confirmed, seed \(seed)") {
                            received.acknowledged.count >= goal
                        }
                        try server.kill()
                    }
                }
                // The last one is left alone.
                try await Self.withServer(file) { server, port in
                    proxy.redirect(to: port)
                    try await eventually("all are emitted, seed \(seed)") {
                        emitted.count == count
                    }
                    try await Self.waitForPosition(count, of: server)
                    client.beginShutdown()
                }
                try await group.waitForAll()
            }
        }
        #expect(Set(received.numbers) == Set(1...count), "seed \(seed)")
        #expect(received.afterAcknowledgement.isEmpty, "seed \(seed)")
        #expect(try await Self.numbers(in: file) == Array(1...count), "seed \(seed)")
    }

    private static func withServer(_ file: String, _ body: (Program, _ port: Int) async throws -> Void) async throws {
        try await withProgram(at: builtProgram("GRPCProbe"), ["serve", file, "5"], deadline: .seconds(90)) { server in
            let line = try await server.lines(until: "port ").last ?? ""
            try await body(server, Int(line.dropFirst("port ".count)) ?? 0)
        }
    }

    /// Waits until everything up to there is finished.
    private static func waitForPosition(_ position: Int, of server: Program) async throws {
        var count = 0
        try await eventually("everything is finished") {
            count += 1
            try await server.write("position\n")
            return try await server.lines(until: "position ", count: count).last == "position \(position)"
        }
    }

    /// The orders that a file holds, as they were kept.
    private static func numbers(in file: String) async throws -> [Int] {
        let streaming = try EventStreaming(storage: .sqlite(path: file)) { streaming in
            streaming.addStream(ShopWorkflow.self) { $0.type = .persistent }
        }
        return try await streaming.read("shop", limit: 10_000).map { record in
            guard case .encoded(let bytes) = record.payload else { return -1 }
            return Int(String(decoding: bytes, as: UTF8.self).filter(\.isNumber)) ?? -1
        }
    }
}

extension TestServer {
    /// A consumer of the queue.
    fileprivate func consumer(_ name: String) async throws -> ConsumerInfo? {
        try await streaming.consumers(of: "queue").first { $0.id.rawValue == name }
    }
}
