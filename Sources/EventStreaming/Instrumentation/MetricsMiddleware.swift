public import CQRS
public import CoreMetrics
import EventStreamingCore
import Metrics

/// Measures commands and queries: `event_streaming_messages_total` and `event_streaming_message_duration`, by kind,
/// name and outcome.
///
/// The outcome is `ok`, or `error`. Names are those of registered commands and queries, so there are not more of them
/// than types.
public struct MetricsMiddleware: BusMiddleware {
    private let factory: any MetricsFactory
    private let clock: any EventStreamingClock

    /// Creates the middleware.
    ///
    /// - Parameters:
    ///   - factory: Where metrics go; `nil` for the factory of the process.
    ///   - clock: The time.
    public init(factory: (any MetricsFactory)? = nil, clock: any EventStreamingClock = SystemClock()) {
        self.factory = factory ?? MetricsSystem.factory
        self.clock = clock
    }

    /// Runs the rest and records how long it took and how it ended.
    public func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response {
        let began = clock.uptime
        do {
            let response = try await next(message)
            record(context, "ok", since: began)
            return response
        } catch {
            record(context, "error", since: began)
            throw error
        }
    }

    private func record(_ context: BusContext, _ outcome: String, since began: Duration) {
        let dimensions = [("kind", context.kind.description), ("name", context.name), ("outcome", outcome)]
        Counter(label: "event_streaming_messages_total", dimensions: dimensions, factory: factory).increment()
        Timer(
            label: "event_streaming_message_duration",
            dimensions: dimensions,
            preferredDisplayUnit: .seconds,
            factory: factory
        ).recordNanoseconds((clock.uptime - began).clampedNanoseconds)
    }
}
