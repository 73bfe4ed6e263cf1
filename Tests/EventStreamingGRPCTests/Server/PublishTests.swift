import EventStreaming
import EventStreamingGRPC
import GRPCCore
import Testing

@Suite("Publishing over the wire", .timeLimit(.minutes(5)))
struct PublishTests {
    private func request(_ numbers: [Int], ids: [UInt64] = [], stream: String = "shop") -> WirePublishRequest {
        var request = WirePublishRequest()
        request.stream = stream
        for (index, number) in numbers.enumerated() {
            var event = WireNewEvent()
            event.type = "OrderPlaced"
            event.payloadBytes = Array("{\"number\":\(number)}".utf8)
            if index < ids.count { event.id.low = ids[index] }
            event.correlationID = "order-\(number)"
            event.headers = ["source": "test"]
            request.events.append(event)
        }
        return request
    }

    @Test("events are kept as they were sent, and the same id is kept once")
    func unary() async throws {
        try await TestServer.run { server in
            try await server.withClient { client in
                let delivery = WireEventDelivery.Client(wrapping: client)
                let first = try await delivery.publish(request([1, 2], ids: [11, 12]))
                #expect(first.offsets.begin == 0 && first.offsets.end == 2 && !first.isDuplicate)
                let second = try await delivery.publish(request([1, 2], ids: [11, 12]))
                #expect(second.offsets.begin == 0 && second.offsets.end == 2 && second.isDuplicate)
                let other = await wireCode { _ = try await delivery.publish(request([9, 2], ids: [11, 12])) }
                #expect(other == "eventStreaming.eventIDConflict")
            }
            let events = try await server.streaming.read("shop")
            #expect(events.map(\.type.name) == ["OrderPlaced", "OrderPlaced"])
            #expect(events.map { $0.correlationID?.rawValue } == ["order-1", "order-2"])
            #expect(events.map(\.headers) == [["source": "test"], ["source": "test"]])
        }
    }

    @Test("an expectation that does not hold is refused, with the real length")
    func expectedVersion() async throws {
        try await TestServer.run { server in
            try await server.place(1...3)
            try await server.withClient { client in
                let delivery = WireEventDelivery.Client(wrapping: client)
                var wrong = request([4])
                wrong.expectedVersion.exactly = 2
                do {
                    _ = try await delivery.publish(wrong)
                    Issue.record("The append succeeded.")
                } catch let error as RPCError {
                    #expect(error.code == .aborted)
                    #expect(error.wireCode == "eventStreaming.wrongExpectedVersion")
                    #expect(error.eventStreamingDetail?.actualLength == 3)
                }
                wrong.expectedVersion.exactly = 3
                let offset = try await delivery.publish(wrong).offsets.begin
                #expect(offset == 3)
            }
        }
    }

    @Test("what cannot be kept is refused with its code")
    func refusals() async throws {
        try await TestServer.run(.with(service: { $0.options.limits.maximumPayloadBytes = 1000 })) { server in
            try await server.withClient { client in
                let delivery = WireEventDelivery.Client(wrapping: client)
                var tooLarge = request([1])
                tooLarge.events[0].payloadBytes = [UInt8](repeating: 0x20, count: 1001)
                var badHeader = request([1])
                badHeader.events[0].headers = ["a": "b\r\nc: d"]
                var noType = request([1])
                noType.events[0].type = ""
                var badCorrelation = request([1])
                badCorrelation.events[0].correlationID = "a\u{0}b"
                for (request, code) in [
                    (request([1], stream: "nothing"), "unknownStream"),
                    (request([1], stream: "queue-dead-letters"), "unknownStream"),
                    (request([1], stream: "a b"), "invalidName"), (request([]), "invalidArgument"),
                    (tooLarge, "payloadTooLarge"), (badHeader, "invalidArgument"), (noType, "invalidArgument"),
                    (badCorrelation, "invalidName"),
                ] {
                    let found = await wireCode { _ = try await delivery.publish(request) }
                    #expect(found == "eventStreaming.\(code)")
                }
            }
            let length = try await server.streaming.metadata(of: "shop").length
            #expect(length == 0)
        }
    }

    @Test("many appends over one call are made in order, each with its answer, and one that fails keeps no other")
    func stream() async throws {
        let count = 1000
        try await TestServer.run { server in
            let results = try await server.withClient { client in
                try await WireEventDelivery.Client(wrapping: client).publishStream(
                    requestProducer: { writer in
                        for number in 1...count {
                            var frame = WirePublishStreamRequest()
                            frame.sequence = UInt64(number)
                            frame.append = request([number], stream: number % 100 == 0 ? "nothing" : "shop")
                            try await writer.write(frame)
                        }
                    },
                    onResponse: { response in
                        var results: [WirePublishResult] = []
                        for try await answer in response.messages { results += answer.results }
                        return results
                    }
                )
            }
            #expect(results.map(\.sequence) == (1...count).map { UInt64($0) })
            var offset: Int64 = 0
            for result in results {
                if result.sequence % 100 == 0 {
                    #expect(result.error.code == "eventStreaming.unknownStream")
                } else {
                    #expect(result.published.offsets.begin == offset)
                    offset += 1
                }
            }
            let length = try await server.streaming.metadata(of: "shop").length
            #expect(length == 990)
        }
    }

    @Test("a sequence that does not grow ends the call, after what came before it was answered")
    func sequence() async throws {
        try await TestServer.run { server in
            let code = await wireCode {
                try await server.withClient { client in
                    try await WireEventDelivery.Client(wrapping: client).publishStream(
                        requestProducer: { writer in
                            for sequence in [1, 1] as [UInt64] {
                                var frame = WirePublishStreamRequest()
                                frame.sequence = sequence
                                frame.append = request([1])
                                try await writer.write(frame)
                            }
                        },
                        onResponse: { response in
                            for try await answer in response.messages {
                                #expect(answer.results.map(\.sequence) == [1])
                            }
                        }
                    )
                }
            }
            #expect(code == "eventStreaming.invalidArgument")
            let length = try await server.streaming.metadata(of: "shop").length
            #expect(length == 1)
        }
    }
}
