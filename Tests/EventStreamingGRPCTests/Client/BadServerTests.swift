import EventStreaming
import EventStreamingGRPC
import GRPCCore
import Testing

@Suite("A client of a server that does not keep to the protocol", .timeLimit(.minutes(5)))
struct BadServerTests {
    /// Opens the consumer, waits for a credit, sends one order, and answers everything.
    private static let good: ScriptedPeer.Script = { requests, writer in
        try await writer.write(.opened())
        var hasSent = false
        for try await request in requests {
            switch request.frame {
            case .credit where !hasSent:
                hasSent = true
                try await writer.write(.batch([0]))
            case .settle(let settle):
                try await writer.write(.make { $0.settled.sequence = settle.sequence })
            case .close:
                try await writer.write(.make { $0.closing.reason = .requested })
                return
            default: break
            }
        }
    }

    /// Opens the consumer, and sends this when there is credit.
    private static func sending(_ frames: [WireSubscribeResponse], isOpened: Bool = true) -> ScriptedPeer.Script {
        { requests, writer in
            if isOpened {
                try await writer.write(.opened())
                for try await request in requests {
                    if case .credit = request.frame { break }
                }
            }
            for frame in frames {
                try await writer.write(frame)
            }
            for try await _ in requests {}
        }
    }

    private static let misbehaviours: [(String, ScriptedPeer.Script)] = [
        ("events before the consumer is opened", sending([.batch([0])], isOpened: false)),
        ("a second opening", sending([.opened()])),
        ("an answer to nothing", sending([.make { $0.settled.sequence = 99 }])),
        ("more events than were asked for", sending([.batch(Array(0..<5000))])),
        ("events out of order", sending([.batch([1, 0])])),
        ("the same event twice", sending([.batch([0, 0])])),
        (
            "an event outside of its lease",
            sending([
                .batch([0]) {
                    $0.offsets.begin = 5
                    $0.offsets.end = 6
                }
            ])
        ),
        (
            "a range that ends before it begins",
            sending([
                .batch([0]) {
                    $0.offsets.begin = 5
                    $0.offsets.end = 1
                }
            ])
        ),
        ("an event without a type", sending([.batch([0]) { $0.events[0].type = "" }])),
        ("a lease without events", sending([.batch([]) { $0.offsets.end = 5 }])),
        ("a lease that another interrupts", sending([.batch([0], isLast: false), .batch([1], epoch: 2)])),
        ("silence after it has broken off", { _, _ in }),
        ("an error without a code of ours", { _, _ in throw RPCError(code: .internalError, message: "oops") }),
    ]

    @Test("connects again, and goes on when the server is mended", arguments: misbehaviours.map(\.0))
    func broken(_ name: String) async throws {
        let script = try #require(Self.misbehaviours.first { $0.0 == name }?.1)
        try await ScriptedPeer.run([script, script, Self.good]) { peer, port in
            try await TestClient.run(port: port) { client in
                for try await delivery in try client.subscribe(to: "queue", as: "a") {
                    #expect(delivery.event(as: OrderPlaced.self) == OrderPlaced(number: 0))
                    try await delivery.acknowledge()
                    break
                }
            }
            #expect(peer.callCount == 3)
        }
    }

    @Test("passes over what it does not know")
    func unknown() async throws {
        let script: ScriptedPeer.Script = { requests, writer in
            try await writer.write(WireSubscribeResponse())
            try await Self.good(requests, writer)
        }
        try await ScriptedPeer.run([script]) { peer, port in
            try await TestClient.run(port: port) { client in
                for try await delivery in try client.subscribe(to: "queue", as: "a") {
                    #expect(delivery.record.offset == .zero)
                    break
                }
            }
            #expect(peer.callCount == 1)
        }
    }

    @Test("ends where the server will not have it, or sends more at once than it takes")
    func ends() async throws {
        let refusal: ScriptedPeer.Script = { _, writer in
            try await writer.write(.opened())
            try await writer.write(.make { $0.closing.reason = .badRequest })
        }
        let large: ScriptedPeer.Script = { requests, writer in
            try await writer.write(.opened(maximumFrameBytes: 1 << 40))
            for try await _ in requests {}
        }
        for (script, expected) in [(refusal, EventStreamingError.Code.invalidArgument), (large, .invalidConfiguration)]
        {
            try await ScriptedPeer.run([script]) { peer, port in
                try await TestClient.run(port: port) { client in
                    await expectCode(expected) { for try await _ in try client.subscribe(to: "queue", as: "a") {} }
                }
                #expect(peer.callCount == 1)
            }
        }
    }

    @Test("finds out that nothing is heard any more, though the connection lives")
    func silence() async throws {
        let silent: ScriptedPeer.Script = { requests, writer in
            try await writer.write(.opened(heartbeatInterval: 50))
            for try await _ in requests {}
        }
        try await ScriptedPeer.run([silent, Self.good]) { peer, port in
            try await TestClient.run(port: port) { client in
                for try await delivery in try client.subscribe(to: "queue", as: "a") {
                    #expect(delivery.record.offset == .zero)
                    break
                }
            }
            #expect(peer.callCount == 2)
        }
    }

    @Test("repeats a settlement that the server could not record")
    func repeatedSettlement() async throws {
        let script: ScriptedPeer.Script = { requests, writer in
            try await writer.write(.opened())
            var settlements = 0
            var hasSent = false
            for try await request in requests {
                switch request.frame {
                case .credit where !hasSent:
                    hasSent = true
                    try await writer.write(.batch([0]))
                    try await writer.write(.batch([1], epoch: 2))
                case .settle(let settle):
                    settlements += 1
                    let isFirst = settlements == 1
                    try await writer.write(
                        .make { response in
                            response.settled.sequence = settle.sequence
                            guard isFirst else { return }
                            response.settled.error.code = "eventStreaming.storeUnavailable"
                            response.settled.error.isRetriable = true
                        }
                    )
                case .close:
                    // The first, again, and the second.
                    try await writer.write(.make { $0.closing.reason = .requested })
                    #expect(settlements == 3)
                    return
                default: break
                }
            }
        }
        try await ScriptedPeer.run([script]) { _, port in
            try await TestClient.run(port: port) { client in
                for try await delivery in try client.subscribe(to: "queue", as: "a")
                where delivery.record.offset != .zero {
                    try await delivery.acknowledge()
                    break
                }
            }
        }
    }
}
