import EventStreaming
import EventStreamingGRPC
import GRPCCore
import NIOCore
import Testing

@Suite("Peers that misbehave", .timeLimit(.minutes(5)))
struct HostilePeerTests {
    @Test("bytes that are no HTTP/2, and frames that break off, end their connection and nothing else")
    func garbage() async throws {
        try await TestServer.run { server in
            try await server.withSubscriber("news", as: "bystander") { bystander in
                _ = try await bystander.opened()
                var random = SeededNumbers(seed: 4711)
                var cases: [[UInt8]] = [
                    Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), [UInt8](repeating: 0, count: 10_000),
                    RawConnection.preface + [0, 0xFF, 0xFF],
                    // Headers that promise more than they have.
                    RawConnection.preface + RawConnection.frame(1, flags: 4, stream: 1, [0x82]).dropLast(),
                    // Headers that cannot be decoded, data on a stream that is not open, a frame beyond its size.
                    RawConnection.preface
                        + RawConnection.frame(1, flags: 4, stream: 1, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
                    RawConnection.preface + RawConnection.frame(0, stream: 1, [1, 2, 3]),
                    RawConnection.preface + [0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 1],
                ]
                for _ in 0..<20 {
                    cases.append(
                        RawConnection.preface + (0..<200).map { _ in UInt8(truncatingIfNeeded: random.next()) })
                }
                for bytes in cases {
                    // What the server does with the connection is its own affair; it may be quicker than we are.
                    try? await RawConnection.send(bytes, to: server.port)
                }
                try await server.place(1...1)
                let numbers = try await bystander.batch().numbers
                #expect(numbers == [1], "seed 4711")
            }
        }
    }

    @Test("floods of pings, settings and resets end their connection and nothing else")
    func floods() async throws {
        try await TestServer.run { server in
            try await server.withSubscriber("news", as: "bystander") { bystander in
                _ = try await bystander.opened()
                let ping = RawConnection.frame(6, stream: 0, [UInt8](repeating: 1, count: 8))
                let settings = RawConnection.frame(4, stream: 0, [])
                for frame in [ping, settings] {
                    let flood = RawConnection.preface + Array(repeatElement(frame, count: 20_000).joined())
                    try? await RawConnection.send(flood, to: server.port) { inbound in
                        // Until the server has had enough of it, or has answered some.
                        var count = 0
                        for try await bytes in inbound {
                            count += bytes.readableBytes
                            if count > 100_000 { break }
                        }
                    }
                }
                try await server.place(1...1)
                let numbers = try await bystander.batch().numbers
                #expect(numbers == [1])
            }
        }
    }

    @Test("one connection more than allowed is closed, and there is room again when one has ended")
    func connections() async throws {
        try await TestServer.run(.with(options: { $0.limits.maximumConnections = 2 })) { server in
            try await server.withSubscriber(as: "a") { first in
                _ = try await first.opened()
                try await server.withSubscriber(as: "b") { second in
                    _ = try await second.opened()
                    // Reading may fail, too: the connection is closed while bytes are on their way.
                    try? await RawConnection.send(RawConnection.preface, to: server.port) { inbound in
                        var bytes = 0
                        for try await part in inbound { bytes += part.readableBytes }
                        // The end, without one frame of an answer.
                        #expect(bytes == 0)
                    }
                }
            }
            try await eventually("there is room") {
                await wireCode { try await server.withSubscriber(as: "c") { _ = try await $0.opened() } } == nil
            }
        }
    }

    @Test("a peer that does not read costs a bounded number of events, slows nobody, and gets everything when it reads")
    func notReading() async throws {
        let count = 20_000
        try await TestServer.run { server in
            for start in stride(from: 1, through: count, by: 1000) {
                try await publishLarge(start..<start + 1000, to: server)
            }
            try await server.withSubscriber("news", as: "asleep", credit: (10_000, 16 << 20), window: 65_535) {
                asleep in
                _ = try await asleep.opened()
                // Another one reads everything meanwhile.
                try await server.withSubscriber("news", as: "awake", credit: (10_000, 16 << 20)) { awake in
                    _ = try await awake.opened()
                    let read = try await readAll(count, &awake)
                    #expect(read == count)
                }
                // At most what its credit allows; mostly far less, but how much the transports and the system take in before they
                // stop is not ours to say.
                let consumers = try await server.streaming.consumers(of: "news")
                let held = consumers.first { $0.id.rawValue == "asleep" }?.inFlight ?? count
                #expect(held <= 10_000)
                let readLater = try await readAll(count, &asleep)
                #expect(readLater == count)
            }
        }
    }

    private func publishLarge(_ numbers: Range<Int>, to server: TestServer) async throws {
        try await server.withClient { client in
            var request = WirePublishRequest()
            request.stream = "shop"
            request.events = numbers.map { number in
                var event = WireNewEvent()
                event.type = "OrderPlaced"
                let text = "{\"number\":\(number)}"
                event.payloadBytes = Array(text.utf8) + [UInt8](repeating: 0x20, count: 1000)
                return event
            }
            _ = try await WireEventDelivery.Client(wrapping: client).publish(request)
        }
    }

    /// Reads and settles so many events, each of which must come once and in order; returns how many there were.
    private func readAll(_ count: Int, _ peer: inout RawSubscriber) async throws -> Int {
        var next = 1
        var sequence: UInt64 = 0
        var ungranted: (events: Int64, bytes: Int64) = (0, 0)
        while next <= count, let frame = try await peer.next() {
            guard case .batch(let batch) = frame.frame else { continue }
            for number in batch.numbers {
                guard number == next else { return -1 }
                next += 1
            }
            ungranted.events += Int64(batch.events.count)
            ungranted.bytes += Int64(batch.events.reduce(0) { $0 + $1.payloadBytes.count })
            guard batch.isLast else { continue }
            sequence += 1
            peer.settle(sequence, batch)
            peer.allow(events: ungranted.events, bytes: ungranted.bytes)
            ungranted = (0, 0)
        }
        return next - 1
    }

    @Test("a peer that is killed again and again loses nothing")
    func killed() async throws {
        try await TestServer.run(
            .with(subscriptions: { subscription in
                subscription.retry.initialDelay = .zero
                subscription.retry.maximumAttempts = 1000
            })
        ) { server in
            try await server.place(1...200)
            let done = Done()
            var random = SeededNumbers(seed: 99)
            while done.count < 200 {
                let patience = Int(random.next() % 20) + 1
                try await server.withSubscriber(as: "a", credit: (20, 100_000)) { peer in
                    _ = try await peer.opened()
                    var sequence: UInt64 = 0
                    for _ in 0..<patience where done.count < 200 {
                        let batch = try await peer.batch()
                        for event in batch.events {
                            sequence += 1
                            peer.settle(sequence, batch, completed: event.offset..<event.offset + 1)
                            if try await peer.settled().hasError == false {
                                done.add(event.offset)
                            }
                        }
                        peer.allow(events: Int64(batch.events.count), bytes: 1000)
                        // Not at the end of the batch each time: what is settled stays so, what is not comes again.
                        if sequence > UInt64(patience) { break }
                    }
                }
            }
            #expect(done.count == 200, "seed 99")
            let position = try await server.streaming.progress(of: "queue").first?.position
            #expect(position == StreamOffset(200))
            #expect(try await server.streaming.deadLetters(of: "queue").isEmpty)
        }
    }
}
