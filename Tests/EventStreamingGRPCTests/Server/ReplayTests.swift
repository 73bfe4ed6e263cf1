import EventStreaming
import EventStreamingGRPC
import GRPCCore
import Testing

@Suite("Replaying over the wire", .timeLimit(.minutes(5)))
struct ReplayTests {
    private func replay(_ server: TestServer, _ fill: @Sendable (inout WireReplayRequest) -> Void) async throws -> (
        offsets: [Int64], next: Int64
    ) {
        var request = WireReplayRequest()
        request.stream = "shop"
        fill(&request)
        return try await server.withClient { [request] client in
            try await WireEventDelivery.Client(wrapping: client).replay(request) { response in
                var offsets: [Int64] = []
                var next: Int64 = -1
                for try await page in response.messages {
                    offsets += page.events.map(\.offset)
                    next = page.nextOffset
                }
                return (offsets, next)
            }
        }
    }

    @Test("a part of a stream, in order, and where to go on")
    func part() async throws {
        try await TestServer.run { server in
            try await server.place(1...1000)
            let all = try await replay(server) { _ in }
            #expect(all.offsets == Array(0..<1000) && all.next == 1000)
            let part = try await replay(server) { request in
                request.from.offset = 10
                request.to.offset = 19
            }
            #expect(part.offsets == Array(10..<20) && part.next == 20)
            let few = try await replay(server) { request in
                request.from.offset = 990
                request.maxEvents = 3
                request.eventTypes = ["OrderPlaced"]
            }
            #expect(few.offsets == [990, 991, 992] && few.next == 993)
            let none = try await replay(server) { $0.eventTypes = ["Nothing"] }
            #expect(none.offsets.isEmpty)
        }
    }

    @Test("what cannot be replayed has its code")
    func refusals() async throws {
        try await TestServer.run { server in
            let cases: [(String, @Sendable (inout WireReplayRequest) -> Void)] = [
                ("unknownStream", { $0.stream = "nothing" }), ("invalidName", { $0.stream = "a/b" }),
                ("invalidArgument", { $0.from.offset = -1 }), ("invalidArgument", { $0.maxEvents = -1 }),
                ("unknownEvent", { $0.from.event.low = 5 }),
            ]
            for (code, fill) in cases {
                let found = await wireCode { _ = try await replay(server, fill) }
                #expect(found == "eventStreaming.\(code)")
            }
        }
    }
}
