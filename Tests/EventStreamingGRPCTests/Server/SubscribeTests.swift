import EventStreaming
import EventStreamingGRPC
import GRPCCore
import Testing

@Suite("Subscribing over the wire", .timeLimit(.minutes(5)))
struct SubscribeTests {
    @Test("a consumer is registered, gets events, and its settlements are recorded")
    func consume() async throws {
        try await TestServer.run { server in
            try await server.place(1...5)
            try await server.withSubscriber(as: "a") { peer in
                let opened = try await peer.opened()
                #expect(opened.consumer == "a")
                #expect(opened.stream == "shop")
                #expect(opened.mode == .exclusive)
                #expect(opened.semantics == .atLeastOnce)
                let batch = try await peer.batch()
                #expect(batch.numbers == [1, 2, 3, 4, 5])
                #expect(batch.attempt == 1 && batch.needsSettlement && batch.isLast)
                let connected = try #require(server.provider.peers.first)
                #expect(connected.consumer.rawValue == "a")
                #expect(connected.epoch == opened.registrationEpoch)
                #expect(connected.origin.address.hasPrefix("ipv4:127.0.0.1:"))
                peer.settle(1, batch)
                let settled = try await peer.settled()
                #expect(settled.sequence == 1 && !settled.hasError)
            }
            let position = try await server.streaming.progress(of: "queue").first?.position
            #expect(position == StreamOffset(5))
        }
    }

    @Test("what comes later is sent without being asked for", arguments: ["queue", "news", "group"])
    func live(_ subscription: String) async throws {
        try await TestServer.run { server in
            try await server.withSubscriber(subscription, as: "a") { peer in
                _ = try await peer.opened()
                for number in 1...20 {
                    try await server.place(number...number)
                    let batch = try await peer.batch()
                    #expect(batch.numbers == [number])
                    peer.settle(UInt64(number), batch)
                    let isRefused = try await peer.settled().hasError
                    #expect(isRefused == false)
                }
            }
        }
    }

    @Test(
        "after a lost connection a consumer goes on where it was: what it had not settled comes again, nothing else does"
    )
    func resume() async throws {
        try await TestServer.run(.with(subscriptions: { $0.retry.initialDelay = .zero })) { server in
            try await server.place(1...10)
            try await server.withSubscriber(as: "a", credit: (10, 10_000)) { peer in
                _ = try await peer.opened()
                let batch = try await peer.batch()
                #expect(batch.numbers == Array(1...10))
                peer.settle(1, batch, completed: 0..<6)
                _ = try await peer.settled()
            }
            try await server.withSubscriber(as: "a") { peer in
                _ = try await peer.opened()
                let batch = try await peer.batch()
                #expect(batch.numbers == Array(7...10))
            }
        }
    }

    @Test("closing gives back what is held without counting an attempt", arguments: [true, false])
    func close(_ withFrame: Bool) async throws {
        try await TestServer.run { server in
            try await server.place(1...3)
            try await server.withSubscriber(as: "a") { peer in
                _ = try await peer.opened()
                let batch = try await peer.batch()
                peer.settle(1, batch, completed: 0..<1)
                if withFrame { peer.send { $0.close = WireClose() } }
                peer.closeSide()
                let end = try await peer.end()
                #expect(end.code == nil)
                #expect(end.closing?.reason == .requested)
            }
            let isConnected = try await server.streaming.consumers(of: "queue").first?.isConnected
            #expect(isConnected == false)
            try await server.withSubscriber(as: "a") { peer in
                _ = try await peer.opened()
                let batch = try await peer.batch()
                #expect(batch.numbers == [2, 3])
                #expect(batch.attempt == 1)
            }
        }
    }

    @Test("no more is sent than the credit allows, and more when there is more")
    func credit() async throws {
        try await TestServer.run { server in
            try await server.place(1...10)
            try await server.withSubscriber(as: "a", credit: nil) { peer in
                _ = try await peer.opened()
                var expected = 1
                for events in [1, 2, 3, 4] as [Int64] {
                    peer.allow(events: events, bytes: 1000)
                    // The answer to a heartbeat comes when there is nothing left to send.
                    peer.send { $0.heartbeat = WireClientHeartbeat() }
                    var numbers: [Int] = []
                    while let frame = try await peer.next() {
                        guard case .batch(let batch) = frame.frame else {
                            if numbers.count == Int(events) { break }
                            continue
                        }
                        numbers += batch.numbers
                        if numbers.count == Int(events) { break }
                    }
                    #expect(numbers == Array(expected..<expected + Int(events)))
                    expected += Int(events)
                }
                // All ten were sent; an eleventh is not, though it is there.
                try await server.place(11...11)
                peer.send { $0.heartbeat = WireClientHeartbeat() }
                while let frame = try await peer.next() {
                    if case .batch = frame.frame { Issue.record("More was sent than allowed.") }
                    if case .heartbeat = frame.frame { break }
                }
            }
        }
    }

    @Test("a rejected event comes again, and goes to the dead letters when it is given up")
    func reject() async throws {
        try await TestServer.run(.with(subscriptions: { $0.retry.initialDelay = .zero })) { server in
            try await server.place(1...2)
            try await server.withSubscriber(as: "a") { peer in
                _ = try await peer.opened()
                let first = try await peer.batch()
                peer.send { frame in
                    frame.settle.sequence = 1
                    frame.settle.leaseEpoch = first.leaseEpoch
                    var again = WireRejection()
                    again.offsets.begin = 0
                    again.offsets.end = 1
                    again.retryAfterMs = 0
                    again.reason = "later"
                    var never = WireRejection()
                    never.offsets.begin = 1
                    never.offsets.end = 2
                    never.deadLetter = .init()
                    never.reason = "broken"
                    frame.settle.rejections = [again, never]
                }
                let isRefused = try await peer.settled().hasError
                #expect(isRefused == false)
                let second = try await peer.batch()
                #expect(second.numbers == [1] && second.attempt == 2)
            }
            let dead = try await server.streaming.deadLetters(of: "queue")
            #expect(dead.map(\.reason) == ["broken"])
        }
    }

    @Test("a settlement that comes too late, or twice, is refused and changes nothing; the call goes on")
    func late() async throws {
        try await TestServer.run { server in
            try await server.place(1...2)
            try await server.withSubscriber(as: "a", credit: (2, 1000)) { peer in
                _ = try await peer.opened()
                let batch = try await peer.batch()
                peer.settle(1, batch, completed: 0..<1)
                let isRefused = try await peer.settled().hasError
                #expect(isRefused == false)
                peer.settle(2, batch, completed: 0..<1)
                let code = try await peer.settled().error.code
                #expect(code == "eventStreaming.alreadySettled")
                peer.settle(3, batch, completed: 5..<9)
                let nextCode = try await peer.settled().error.code
                #expect(nextCode == "eventStreaming.invalidArgument")
                var unknown = batch
                unknown.leaseEpoch += 100
                peer.settle(4, unknown, completed: 1..<2)
                let thenCode = try await peer.settled().error.code
                #expect(thenCode == "eventStreaming.leaseExpired")
                peer.settle(5, batch, completed: 1..<2)
                let nextIsRefused = try await peer.settled().hasError
                #expect(nextIsRefused == false)
            }
            let position = try await server.streaming.progress(of: "queue").first?.position
            #expect(position == StreamOffset(2))
        }
    }

    @Test("a consumer of the same name takes over, and the first one is told")
    func replaced() async throws {
        try await TestServer.run { server in
            try await server.place(1...3)
            try await server.withSubscriber(as: "a") { first in
                let epoch = try await first.opened().registrationEpoch
                let held = try await first.batch()
                #expect(held.numbers == [1, 2, 3])
                try await server.withSubscriber(as: "a") { second in
                    let registrationEpoch = try await second.opened().registrationEpoch
                    #expect(registrationEpoch > epoch)
                    let numbers = try await second.batch().numbers
                    #expect(numbers == [1, 2, 3])
                }
                first.settle(1, held)
                let end = try await first.end()
                #expect(end.code == "eventStreaming.consumerReplaced")
                #expect(end.closing?.reason == .replaced)
            }
            let position = try await server.streaming.progress(of: "queue").first?.position
            #expect(position == .zero)
        }
    }

    @Test("every consumer of a broadcast has its own position, and may choose its types and its start")
    func broadcast() async throws {
        try await TestServer.run { server in
            try await server.place(1...4)
            try await server.withSubscriber("news", as: "a") { peer in
                _ = try await peer.opened()
                let numbers = try await peer.batch().numbers
                #expect(numbers == [1, 2, 3, 4])
            }
            try await server.withClient { client in
                try await RawSubscriber.with(client) { peer in
                    peer.send { frame in
                        frame.open.protocolVersion = 1
                        frame.open.subscription = "news"
                        frame.open.consumer = "b"
                        frame.open.start.offset = 2
                        frame.open.eventTypes = ["OrderPlaced"]
                        frame.open.credit.events = 10
                        frame.open.credit.bytes = 1000
                    }
                    _ = try await peer.opened()
                    let nextNumbers = try await peer.batch().numbers
                    #expect(nextNumbers == [3, 4])
                }
            }
            try await server.withClient { client in
                try await RawSubscriber.with(client) { peer in
                    peer.send { frame in
                        frame.open.protocolVersion = 1
                        frame.open.subscription = "news"
                        frame.open.consumer = "c"
                        frame.open.eventTypes = ["SomethingElse"]
                        frame.open.credit.events = 10
                        frame.open.credit.bytes = 1000
                    }
                    _ = try await peer.opened()
                    peer.send { $0.heartbeat = WireClientHeartbeat() }
                    while let frame = try await peer.next() {
                        if case .batch = frame.frame { Issue.record("A type was sent that was not chosen.") }
                        if case .heartbeat = frame.frame { break }
                    }
                }
            }
            let finished = try await server.streaming.progress(of: "news").first { $0.consumer?.rawValue == "c" }
            #expect(finished?.position == StreamOffset(4))
        }
    }

    @Test("a user's events are unread until they are marked, with the settlement or later")
    func receipts() async throws {
        try await TestServer.run { server in
            try await server.place(1...5)
            try await server.withSubscriber("notes", as: "ada") { peer in
                let opened = try await peer.opened()
                #expect(opened.mode == .readReceipt)
                let batch = try await peer.batch()
                peer.send { frame in
                    frame.settle.sequence = 1
                    frame.settle.leaseEpoch = batch.leaseEpoch
                    frame.settle.completed = [batch.offsets]
                    var read = WireOffsetRange()
                    read.end = 2
                    frame.settle.read = [read]
                }
                let settled = try await peer.settled()
                #expect(!settled.hasError)
                let unread = try await server.streaming.unreadCount(of: "notes", for: "ada")
                #expect(unread == 3)
                peer.send { frame in
                    frame.markRead.sequence = 2
                    frame.markRead.events.ids = [batch.events[2].id]
                }
                let one = try await peer.settled()
                #expect(one.sequence == 2 && one.marked == 1)
                peer.send { frame in
                    frame.markRead.sequence = 3
                    frame.markRead.unreadBefore = -1
                }
                let rest = try await peer.settled()
                #expect(rest.marked == 2)
                peer.send { frame in
                    frame.markRead.sequence = 4
                    frame.markRead.events.ids = [WireMessageId()]
                }
                let unknown = try await peer.settled()
                #expect(unknown.error.code == "eventStreaming.notDelivered")
            }
        }
    }

    @Test("a lease that is larger than a frame comes in several, each event once")
    func largeLease() async throws {
        try await TestServer.run(.with(options: { options in options.limits.maximumFrameBytes = 40 })) { server in
            try await server.place(1...50)
            try await server.withSubscriber(as: "a", credit: (50, 10_000)) { peer in
                _ = try await peer.opened()
                var numbers: [Int] = []
                var sequence: UInt64 = 0
                var frames = 0
                while numbers.count < 50 {
                    let batch = try await peer.batch()
                    numbers += batch.numbers
                    frames += 1
                    if batch.isLast {
                        sequence += 1
                        peer.settle(sequence, batch)
                    }
                }
                #expect(numbers == Array(1...50))
                #expect(frames > 10)
                var last = try await peer.settled()
                while last.sequence < sequence { last = try await peer.settled() }
            }
            let position = try await server.streaming.progress(of: "queue").first?.position
            #expect(position == StreamOffset(50))
        }
    }

    @Test("events that are too many bytes for the credit wait until there is more")
    func byteCredit() async throws {
        try await TestServer.run { server in
            try await server.place(1...60)
            try await server.withSubscriber(as: "a", credit: (1000, 1)) { peer in
                _ = try await peer.opened()
                // How large events are is not known at first: one lease may overdraw.
                let first = try await peer.batch()
                #expect(first.events.count <= 16)
                peer.send { $0.heartbeat = WireClientHeartbeat() }
                while let frame = try await peer.next() {
                    if case .batch = frame.frame { Issue.record("More bytes were sent than allowed.") }
                    if case .heartbeat = frame.frame { break }
                }
                peer.allow(events: 1, bytes: 1000)
                let number = try await peer.batch().numbers.first
                #expect(number == first.events.count + 1)
            }
        }
    }
}
