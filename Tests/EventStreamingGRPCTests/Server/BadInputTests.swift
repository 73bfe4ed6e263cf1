import EventStreaming
import EventStreamingGRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SwiftProtobuf
import Testing

@Suite("Bad input over the wire", .timeLimit(.minutes(5)))
struct BadInputTests {
    /// Calls `body` with a server on which another consumer is at work, and makes sure afterwards that it still is.
    private func beside(
        _ settings: TestServer.Settings = .with(),
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await TestServer.run(settings) { server in
            try await server.withSubscriber("news", as: "bystander") { bystander in
                let epoch = try await bystander.opened().registrationEpoch
                try await body(server)
                try await server.place(7...7)
                let batch = try await bystander.batch()
                #expect(batch.numbers == [7])
                bystander.settle(1, batch)
                let isRefused = try await bystander.settled().hasError
                #expect(isRefused == false)
                let consumers = try await server.streaming.consumers(of: "news")
                #expect(consumers.first { $0.id.rawValue == "bystander" }?.epoch == epoch)
            }
        }
    }

    private func endOf(
        _ server: TestServer,
        _ frames: [@Sendable (inout WireSubscribeRequest) -> Void]
    ) async throws -> (closing: WireClosing?, code: String?) {
        try await server.withClient { client in
            try await RawSubscriber.with(client) { peer in
                for frame in frames { peer.send(frame) }
                return try await peer.end()
            }
        }
    }

    private static let open: @Sendable (inout WireSubscribeRequest) -> Void = { frame in
        frame.open.protocolVersion = 1
        frame.open.subscription = "queue"
    }

    struct BadOpen: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: String
        let fill: @Sendable (inout WireOpen) -> Void

        init(_ name: String, _ code: String, _ fill: @escaping @Sendable (inout WireOpen) -> Void) {
            testDescription = name
            self.code = "eventStreaming.\(code)"
            self.fill = fill
        }
    }

    static let opens: [BadOpen] = [
        BadOpen("unknown subscription", "unknownSubscription") { $0.subscription = "nothing" },
        BadOpen("a name that breaks the rules", "invalidName") { $0.subscription = "../x" },
        BadOpen("a name with a line break", "invalidName") { $0.consumer = "a\r\nSet-Cookie: b" },
        BadOpen("a name that is too long", "invalidName") { $0.consumer = String(repeating: "a", count: 65_536) },
        BadOpen("another version", "unsupported") { $0.protocolVersion = 2 },
        BadOpen("no version", "unsupported") { $0.protocolVersion = 0 },
        BadOpen("a negative offset", "invalidArgument") { $0.start.offset = -1 },
        BadOpen("types where the position is shared", "unsupported") { $0.eventTypes = ["A"] },
        BadOpen("too many types", "invalidArgument") { $0.eventTypes = (0...1000).map { "T\($0)" } },
        BadOpen("no credit", "invalidArgument") { $0.credit = WireCredit() },
        BadOpen("negative credit", "invalidArgument") { open in
            open.credit.events = -1
            open.credit.bytes = 1
        },
        BadOpen("huge credit", "invalidArgument") { open in
            open.credit.events = .max
            open.credit.bytes = .max
        },
        BadOpen("an event that is not there", "unknownEvent") { open in
            open.subscription = "news"
            open.start.event.high = 1
        },
    ]

    @Test("a call that asks for what cannot be ends with its code", arguments: opens)
    func badOpen(_ bad: BadOpen) async throws {
        try await beside { server in
            let end = try await endOf(
                server,
                [
                    { frame in
                        Self.open(&frame)
                        bad.fill(&frame.open)
                    }
                ]
            )
            #expect(end.code == bad.code)
            #expect(end.closing?.error.code == bad.code)
        }
    }

    @Test("frames in the wrong order, or that say nothing sensible, end the call with their code")
    func badFrames() async throws {
        let cases: [(String, [@Sendable (inout WireSubscribeRequest) -> Void])] = [
            ("no Open", [{ $0.heartbeat = WireClientHeartbeat() }]),
            ("two Opens", [Self.open, Self.open]),
            ("zero credit", [Self.open, { $0.credit = WireCredit() }]),
            ("an empty range", [Self.open, { $0.settle.completed = [WireOffsetRange()] }]),
            (
                "a sequence that does not grow",
                [Self.open, { $0.settle.sequence = 2 }, { $0.settle.sequence = 2 }]
            ),
            ("nothing selected", [Self.open, { $0.markRead = WireMarkRead() }]),
            (
                "a negative delay",
                [
                    Self.open,
                    { frame in
                        var rejection = WireRejection()
                        rejection.offsets.end = 1
                        rejection.retryAfterMs = -1
                        frame.settle.rejections = [rejection]
                    },
                ]
            ),
        ]
        try await beside { server in
            for (name, frames) in cases {
                let end = try await endOf(server, frames)
                #expect(end.code == "eventStreaming.invalidArgument", "\(name)")
                #expect(end.closing?.reason == .badRequest, "\(name)")
            }
        }
    }

    @Test("a call that ends before it has begun has its code, too")
    func halfCloseWithoutOpen() async throws {
        try await beside { server in
            try await server.withClient { client in
                try await RawSubscriber.with(client) { peer in
                    peer.closeSide()
                    let nextCode = try await peer.end().code
                    #expect(nextCode == "eventStreaming.invalidArgument")
                }
            }
        }
    }

    @Test("a frame of a later version of the contract is passed over")
    func unknownFrame() async throws {
        try await beside { server in
            try await server.withSubscriber { peer in
                _ = try await peer.opened()
                peer.send { _ in }
                peer.send { $0.heartbeat = WireClientHeartbeat() }
                let nextFrame = try await peer.next()
                #expect(nextFrame != nil)
            }
        }
    }

    @Test("read receipts where there are none are refused, and the call goes on")
    func noReceipts() async throws {
        try await beside { server in
            try await server.withSubscriber { peer in
                _ = try await peer.opened()
                peer.send { frame in
                    frame.markRead.sequence = 1
                    frame.markRead.unreadBefore = -1
                }
                let code = try await peer.settled().error.code
                #expect(code == "eventStreaming.unsupported")
                peer.send { $0.heartbeat = WireClientHeartbeat() }
                let nextFrame = try await peer.next()
                #expect(nextFrame != nil)
            }
        }
    }

    // MARK: - Bytes

    /// Sends these bytes as the message of a call.
    private func call(_ server: TestServer, _ method: MethodDescriptor, _ bytes: [UInt8]) async -> String? {
        await wireCode {
            try await server.withClient { client in
                try await client.unary(
                    request: ClientRequest(message: bytes),
                    descriptor: method,
                    serializer: BytesSerializer(),
                    deserializer: BytesDeserializer(),
                    options: .defaults
                ) { response in
                    _ = try response.message
                }
            }
        }
    }

    @Test("bytes that are no message have a code")
    func malformed() async throws {
        try await beside { server in
            let methods = [
                WireEventDelivery.Method.Publish.descriptor, WireMessages.Method.SendCommand.descriptor,
                WireMessages.Method.AskQuery.descriptor,
            ]
            let messages: [[UInt8]] = [
                [0xFF], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x0A, 0x05, 0x41],
                // A name that is not UTF-8.
                [0x0A, 0x02, 0xC3, 0x28],
                // Groups that nest without end.
                [UInt8](repeating: 0x0B, count: 100_000),
            ]
            for method in methods {
                for message in messages {
                    let code = await call(server, method, message)
                    #expect(code == "eventStreaming.invalidArgument", "\(method), \(message.prefix(6))")
                }
            }
        }
    }

    @Test("a message beyond the limit is refused")
    func oversizeMessage() async throws {
        try await beside { server in
            let bytes = [UInt8](repeating: 0, count: 5 << 20)
            let code = await call(server, WireEventDelivery.Method.Publish.descriptor, bytes)
            // The transport ends the call before the service sees it, so the code is the transport's.
            #expect(code != nil)
        }
    }

    @Test("a method that does not exist is refused")
    func unknownMethod() async throws {
        try await beside { server in
            let method = MethodDescriptor(fullyQualifiedService: "eventstreaming.v1.EventDelivery", method: "Nothing")
            #expect(await call(server, method, []) == "status unimplemented")
        }
    }

    // MARK: - Floods

    @Test("ten thousand entries of metadata are refused, and others notice nothing")
    func metadata() async throws {
        try await beside { server in
            let code = await wireCode {
                try await server.withClient { client in
                    var metadata = Metadata()
                    for number in 0..<10_000 { metadata.addString("value", forKey: "key-\(number)") }
                    var request = WirePublishRequest()
                    request.stream = "shop"
                    _ = try await WireEventDelivery.Client(wrapping: client).publish(request, metadata: metadata)
                }
            }
            #expect(code != nil)
        }
    }

    @Test("many calls that are cancelled at once do no harm to others")
    func resets() async throws {
        try await beside { server in
            try await server.withClient { client in
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<400 {
                        group.addTask {
                            try? await RawSubscriber.with(client) { peer in
                                peer.send(Self.open)
                            }
                        }
                    }
                }
            }
            try await eventually("all calls are gone") { server.provider.peers.count <= 1 }
        }
    }

    @Test("more open calls than allowed are refused, and more connections are closed")
    func limits() async throws {
        try await beside(.with(options: { $0.limits.maximumCallsPerPeer = 3 })) { server in
            try await server.withSubscriber(as: "a") { first in
                _ = try await first.opened()
                try await server.withSubscriber(as: "b") { second in
                    _ = try await second.opened()
                    let code = await wireCode {
                        try await server.withSubscriber(as: "c") { third in _ = try await third.opened() }
                    }
                    #expect(code == "eventStreaming.limitExceeded")
                }
            }
            // There is room again.
            try await eventually("the calls have ended") { server.provider.peers.count == 1 }
            try await server.withSubscriber(as: "c") { third in _ = try await third.opened() }
        }
    }

    @Test("a deadline of zero ends a call, and nothing else")
    func deadline() async throws {
        try await beside { server in
            let code = await wireCode {
                try await server.withClient { client in
                    try await RawSubscriber.with(client, timeout: .zero) { peer in
                        peer.send(Self.open)
                        while try await peer.next() != nil {}
                    }
                }
            }
            #expect(code != nil)
        }
    }
}

private struct BytesSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }
}

private struct BytesDeserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ serializedMessageBytes: Bytes) throws -> [UInt8] {
        serializedMessageBytes.withUnsafeBytes { [UInt8]($0) }
    }
}
