import CQRS
import EventStreaming
import EventStreamingTesting
import InMemoryTracing
import Testing
import Tracing

@Suite("Tracing", .timeLimit(.minutes(5)))
struct TracingTests {
    private let tracer = InMemoryTracer()

    private func makeService(mail: (inout SubscriptionConfiguration) -> Void = { _ in }) throws -> EventStreaming {
        let tracer = tracer
        return try makeOrders(clock: ManualClock(), mail: mail, also: { $0.options.tracer = tracer })
    }

    private func span(_ name: String) throws -> FinishedInMemorySpan {
        try #require(tracer.finishedSpans.first { $0.operationName == name })
    }

    @Test("emitting is a producer span, whose context the events carry")
    func sending() async throws {
        let streaming = try makeService()
        try await streaming.place(1...3)
        let span = try span("send order-events")
        #expect(span.kind == .producer)
        #expect(span.attributes.get("messaging.system") == .string("event_streaming"))
        #expect(span.attributes.get("messaging.operation.type") == .string("send"))
        #expect(span.attributes.get("messaging.destination.name") == .string("order-events"))
        #expect(span.attributes.get("messaging.batch.message_count") == .int64(3))
        for event in try await streaming.read("order-events") {
            #expect(event.headers[InMemoryTracer.traceIDKey] == span.traceID)
            #expect(event.headers[InMemoryTracer.spanIDKey] == span.spanID)
        }
    }

    @Test("a failed send ends its span with the error")
    func failedSend() async throws {
        let streaming = try makeService()
        let code = await errorCode {
            try await streaming.emitter.emit(OrderPlaced(number: 1), expecting: .exists)
        }
        #expect(code == .wrongExpectedVersion)
        let span = try span("send order-events")
        #expect(span.status?.code == .error)
        #expect(span.errors.count == 1)
        #expect(span.attributes.get("error.type") == .string("eventStreaming.wrongExpectedVersion"))
    }

    @Test("handling is a consumer span, linked to where the event was emitted")
    func handling() async throws {
        let (tracer, inside) = (tracer, Journal<ServiceContext?>())
        let streaming = try makeService { subscription in
            subscription.handle { delivery in
                inside.add(ServiceContext.current)
                #expect(delivery.traceContext.inMemorySpanContext?.traceID != nil)
            }
        }
        let workflow = try WorkflowID("order-1")
        try await withEventStreaming(streaming) { streaming in
            try await streaming.emitter.emit(OrderPlaced(number: 1), in: workflow)
            try await streaming.settled("mail")
        }
        let sent = try span("send order-events")
        let processed = try span("process order-events")
        #expect(processed.kind == .consumer)
        #expect(processed.status?.code != .error)
        #expect(processed.attributes.get("messaging.operation.type") == .string("process"))
        #expect(processed.attributes.get("messaging.destination.subscription.name") == .string("mail"))
        #expect(processed.attributes.get("messaging.message.conversation_id") == .string("order-1"))
        let id = try #require(try await streaming.read("order-events").first?.id.description)
        #expect(processed.attributes.get("messaging.message.id") == .string(id))
        #expect(processed.links.map(\.context.inMemorySpanContext?.spanID) == [sent.spanID])
        #expect(inside.entries.map { $0?.inMemorySpanContext?.spanID } == [processed.spanID])
        #expect(tracer.activeSpans.isEmpty)
    }

    @Test("a handler that fails ends its span with the error, each attempt in a span of its own")
    func failedHandler() async throws {
        let clock = ManualClock()
        let tracer = tracer
        let streaming = try makeOrders(
            clock: clock,
            mail: { subscription in
                subscription.retry.maximumAttempts = 2
                subscription.handle { _ in throw Failure() }
            },
            also: { $0.options.tracer = tracer }
        )
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place([1])
            try await streaming.settled("mail", advancing: clock)
        }
        let spans = tracer.finishedSpans.filter { $0.operationName == "process order-events" }
        #expect(spans.count == 2)
        #expect(spans.allSatisfy { $0.status?.code == .error && $0.attributes.get("error.type") == .string("Failure") })
    }

    @Test("what a handler emits is in its trace")
    func emittedByHandler() async throws {
        let journal = Journal<Int>()
        let commands = Journal<EventEmitter>()
        let streaming = try makeService { subscription in
            subscription.include(OrderPlaced.self)
            subscription.handle { delivery in
                try await commands.entries.first?.emit(OrderShipped(number: delivery.number))
                journal.add(delivery.number)
            }
        }
        commands.add(streaming.emitter)
        try await withEventStreaming(streaming) { streaming in
            try await streaming.place([1])
            try await journal.wait(for: 1)
            try await streaming.settled("mail")
        }
        let processed = try span("process order-events")
        let sends = tracer.finishedSpans.filter { $0.operationName == "send order-events" }
        #expect(sends.count == 2)
        #expect(sends.contains { $0.parentSpanID == processed.spanID })
    }

    @Test("a header by the user is not overwritten")
    func usersHeader() async throws {
        let streaming = try makeService()
        try await streaming.emitter.emit(
            OrderPlaced(number: 1), headers: [InMemoryTracer.traceIDKey: "mine", "tenant": "blue"])
        let headers = try #require(try await streaming.read("order-events").first?.headers)
        #expect(headers[InMemoryTracer.traceIDKey] == "mine")
        #expect(headers["tenant"] == "blue")
        #expect(headers[InMemoryTracer.spanIDKey] != nil)
    }

    @Test("the middleware runs commands in spans, in which their events are sent")
    func middleware() async throws {
        struct Fail: Command {}
        let tracer = tracer
        let streaming = try makeOrders(
            also: { streaming in
                streaming.options.tracer = tracer
                streaming.commands.use(TracingMiddleware(tracer: tracer))
                streaming.commands.add(PlaceOrderHandler())
                streaming.commands.on(Fail.self) { _ in throw Failure() }
            }
        )
        _ = try await streaming.commands.send(PlaceOrder(number: 1))
        let command = try span("command \(PlaceOrder.commandName)")
        #expect(try span("send order-events").parentSpanID == command.spanID)
        await #expect(throws: Failure()) { try await streaming.commands.send(Fail()) }
        let failed = try span("command \(Fail.commandName)")
        #expect(failed.status?.code == .error)
        #expect(failed.errors.count == 1)
        #expect(tracer.activeSpans.isEmpty)
    }
}
