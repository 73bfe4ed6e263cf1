import CoreMetrics
import EventStreamingCore
import Metrics
import Tracing

/// Metrics and spans of one engine, by the messaging conventions of OpenTelemetry.
///
/// Instruments are made once, when the engine is; recording is done for each append and each batch, never for each
/// event. Where nobody listens (no metrics factory, no tracer) nothing is measured and no clock is read.
struct Telemetry: Sendable {
    static let system = "event_streaming"

    let tracer: (any Tracer)?
    let isMeasuring: Bool
    private let factory: any MetricsFactory
    private let clock: any EventStreamingClock
    private var streams: [StreamName: StreamMeters] = [:]
    private var subscriptions: [SubscriptionID: SubscriptionMeters] = [:]
    private(set) var receipts: [SubscriptionID: ReceiptMeters] = [:]

    var isObserving: Bool { isMeasuring || tracer != nil }

    init(options: EventStreamingOptions, streams: [StreamName], subscriptions: [SubscriptionDefinition]) {
        let factory = options.metrics ?? MetricsSystem.factory
        let tracer = options.tracer ?? InstrumentationSystem.tracer
        self.factory = factory
        self.tracer = tracer is NoOpTracer ? nil : tracer
        clock = options.clock
        isMeasuring = !(factory is NOOPMetricsHandler)
        for stream in streams {
            self.streams[stream] = StreamMeters(stream: stream, factory: factory)
        }
        for subscription in subscriptions {
            self.subscriptions[subscription.id] = SubscriptionMeters(subscription, factory: factory)
            if subscription.mode == .readReceipt {
                receipts[subscription.id] = ReceiptMeters(subscription, factory: factory)
            }
        }
    }

    // MARK: - Sending

    /// A send operation being observed.
    struct Sending {
        var span: (any Span)?
        var began: Duration
    }

    func startSend(to stream: StreamName, count: Int) -> Sending {
        let span = tracer.map { tracer in
            startSpan(tracer, "send \(stream)", ofKind: .producer) { attributes in
                attributes["messaging.operation.name"] = "send"
                attributes["messaging.operation.type"] = "send"
                attributes["messaging.destination.name"] = stream.rawValue
                attributes["messaging.batch.message_count"] = count
            }
        }
        return Sending(span: span, began: isMeasuring ? clock.uptime : .zero)
    }

    /// The context with the span's trace context in its headers, unless the user put one there.
    func inject(_ sending: Sending, into context: EventContext) -> EventContext {
        guard let tracer, let span = sending.span else { return context }
        var headers: [String: String] = [:]
        tracer.inject(span.context, into: &headers, using: HeaderCarrier())
        guard !headers.isEmpty else { return context }
        return EventContext(
            correlationID: context.correlationID,
            causationID: context.causationID,
            headers: headers.merging(context.headers) { _, byUser in byUser }
        )
    }

    func endSend(_ sending: Sending, to stream: StreamName, count: Int, error: (any Error)?) {
        if let span = sending.span {
            finish(span, error: error)
        }
        guard isMeasuring else { return }
        let meters = streams[stream]
        if let error {
            meters?.failures(factory, error: Self.type(of: error)).increment()
        } else {
            meters?.sent.increment(by: count)
        }
        meters?.sendDuration.recordNanoseconds((clock.uptime - sending.began).clampedNanoseconds)
    }

    // MARK: - Receiving

    /// Counts the events of a lease that was handed over.
    func count(_ lease: Lease, of subscription: SubscriptionID) {
        guard isMeasuring, let meters = subscriptions[subscription] else { return }
        meters.consumed.increment(by: lease.events.count)
        if lease.attempt > 1 {
            meters.redelivered.increment(by: lease.events.count)
        }
    }

    /// Counts a rejected delivery.
    func countRejection(of subscription: SubscriptionID) {
        guard isMeasuring else { return }
        subscriptions[subscription]?.rejected.increment()
    }

    /// Records how a subscription does.
    func record(_ observation: HealthObservation) {
        let health = observation.health
        guard isMeasuring, let meters = subscriptions[health.subscription] else { return }
        meters.record(observation)
    }

    /// Counts what a retention removed, and what was missed because of it.
    func record(_ result: RetentionResult, of stream: StreamName) {
        guard isMeasuring else { return }
        streams[stream]?.removed.increment(by: result.count)
        for missed in result.missed {
            subscriptions[missed.subscription]?.missed.increment(by: missed.count)
        }
    }

    // MARK: - Processing

    /// Runs a subscription's handler in a consumer span that links to where the event was emitted.
    func process<Result>(
        _ event: StoredEvent,
        from stream: StreamName,
        of subscription: SubscriptionID,
        _ body: () async throws -> Result
    ) async throws -> Result {
        guard isObserving else { return try await body() }
        let began = isMeasuring ? clock.uptime : .zero
        defer {
            if isMeasuring {
                let elapsed = (clock.uptime - began).clampedNanoseconds
                subscriptions[subscription]?.processDuration.recordNanoseconds(elapsed)
            }
        }
        guard let tracer else { return try await body() }
        let span = startSpan(tracer, "process \(stream)", ofKind: .consumer) { attributes in
            attributes["messaging.operation.name"] = "process"
            attributes["messaging.operation.type"] = "process"
            attributes["messaging.destination.name"] = stream.rawValue
            attributes["messaging.destination.subscription.name"] = subscription.rawValue
            attributes["messaging.message.id"] = event.id.description
            if let correlation = event.correlationID {
                attributes["messaging.message.conversation_id"] = correlation.rawValue
            }
        }
        let origin = context(of: event)
        span.addLink(SpanLink(context: origin, attributes: [:]))
        do {
            let result = try await ServiceContext.$current.withValue(span.context) { try await body() }
            finish(span, error: nil)
            return result
        } catch {
            finish(span, error: error)
            throw error
        }
    }

    /// The trace context in which an event was emitted.
    func context(of event: StoredEvent) -> ServiceContext {
        var context = ServiceContext.topLevel
        tracer?.extract(event.headers, into: &context, using: HeaderCarrier())
        return context
    }

    // MARK: - Parts

    private func startSpan(
        _ tracer: some Tracer,
        _ name: String,
        ofKind kind: SpanKind,
        _ describe: (inout SpanAttributes) -> Void
    ) -> any Span {
        let span = tracer.startSpan(name, ofKind: kind)
        var attributes: SpanAttributes = ["messaging.system": .string(Self.system)]
        describe(&attributes)
        span.attributes = attributes
        return span
    }

    /// A name for errors of a kind, of which there are few: never text from outside.
    private static func type(of error: any Error) -> String {
        (error as? EventStreamingError)?.code.description ?? "\(Swift.type(of: error))"
    }

    private func finish(_ span: any Span, error: (any Error)?) {
        if let error {
            span.attributes["error.type"] = Self.type(of: error)
            span.recordError(error)
            span.setStatus(SpanStatus(code: .error))
        }
        span.end()
    }
}

/// Carries trace context in an event's headers.
struct HeaderCarrier: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
        carrier[key.lowercased()] = value
    }

    func extract(key: String, from carrier: [String: String]) -> String? {
        carrier[key.lowercased()]
    }
}
