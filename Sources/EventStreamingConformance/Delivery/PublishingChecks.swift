import EventStreaming
import EventStreamingCore
import EventStreamingTesting

enum PublishingChecks {
    static let all: [DeliveryCheck] = [
        DeliveryCheck("publishing: every append has its own result, in order") { harness in
            let results = await harness.provider.publish([
                try harness.append([harness.event(1), harness.event(2)]),
                try harness.append([harness.event(3)], to: "nowhere"),
                try harness.append([harness.event(4)]),
            ])
            try requireEqual(results.count, 3, "results")
            try requireEqual(try results[0].get().offsets.lowerBound, .zero, "the first offset")
            try await requireError(.unknownStream, from: "an append to an unknown stream") { _ = try results[1].get() }
            try requireEqual(
                try results[2].get().offsets.lowerBound, StreamOffset(2), "the offset after the failed append")
            let stored = try await harness.service.read(DeliveryHarness.stream)
            try requireEqual(stored.map(\.id), [1, 2, 4].map { harness.event($0).id }, "the ids that were kept")
        },
        DeliveryCheck("publishing: the same ids are kept once, and other content under them is refused") { harness in
            let append = try harness.append([harness.event(1), harness.event(2)])
            for isRepeated in [false, true] {
                let result = try await harness.provider.publish([append])[0].get()
                try requireEqual(result.offsets.upperBound, StreamOffset(2), "the end of the offsets")
                try requireEqual(result.isDuplicate, isRepeated, "whether it was there before")
            }
            let id = harness.event(1).id
            let other = await harness.provider.publish([try harness.append([harness.event(9, id: id)])])
            try await requireError(.eventIDConflict, from: "another event with the same id") { _ = try other[0].get() }
        },
        DeliveryCheck("publishing: an expectation that does not hold is refused, with the real length") { harness in
            try await harness.publish(1...3)
            let results = await harness.provider.publish([
                try harness.append([harness.event(4)], expecting: .noStream),
                try harness.append([harness.event(5)], expecting: .exactly(StreamOffset(3))),
            ])
            let error = try await requireError(.wrongExpectedVersion, from: "a wrong expectation") {
                _ = try results[0].get()
            }
            try requireEqual(error.actualLength, 3, "the real length")
            try requireEqual(
                try results[1].get().offsets.lowerBound, StreamOffset(3), "the offset after a right expectation")
        },
        DeliveryCheck("publishing: limits and bad input are refused with their codes") { harness in
            let header = EventContext(headers: ["name": "two\r\nlines"])
            let event = harness.event(1)
            let withHeader = NewEvent(
                id: event.id,
                type: event.type,
                payload: event.payload,
                size: event.size,
                context: header
            )
            let results = await harness.provider.publish([
                try harness.append([harness.event(1, size: 1001)]), try harness.append([]),
                try harness.append([withHeader]), try harness.append([event, event]),
            ])
            try await requireError(.payloadTooLarge, from: "a large event") { _ = try results[0].get() }
            for index in 1...3 {
                try await requireError(.invalidArgument, from: "append \(index)") { _ = try results[index].get() }
            }
            try requireEqual(try await harness.service.metadata(of: DeliveryHarness.stream).length, 0, "events kept")
        },
        DeliveryCheck("publishing: correlation, cause and headers arrive") { harness in
            let event = harness.event(1)
            let context = EventContext(
                correlationID: try WorkflowID("order-4711"),
                causationID: MessageID(high: 1, low: 2),
                headers: ["tenant": "ada"]
            )
            let whole = NewEvent(
                id: event.id,
                type: EventType(name: "Checked", version: 3),
                payload: event.payload,
                size: event.size,
                context: context
            )
            _ = try await harness.provider.publish([try harness.append([whole])])[0].get()
            let consumer = try await harness.connect("queue")
            let received = try await consumer.next().events[0]
            try requireEqual(received.id, event.id, "the id")
            try requireEqual(received.type, whole.type, "the type")
            try requireEqual(received.correlationID?.rawValue, "order-4711", "the correlation")
            try requireEqual(received.causationID, MessageID(high: 1, low: 2), "the cause")
            try requireEqual(received.headers, ["tenant": "ada"], "the headers")
            try requireEqual(received.timestamp, harness.clock.now, "the time")
            await consumer.consumer.close()
        },
        DeliveryCheck("health: available while it works") { harness in
            try requireEqual(await harness.provider.health.state, .available, "the state")
        },
    ]
}
