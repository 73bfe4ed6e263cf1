public import CQRS
public import Tracing

/// Runs commands and queries in spans: `command AddUser`, `query FindUser`.
public struct TracingMiddleware: BusMiddleware {
    private let tracer: any Tracer

    /// Creates the middleware.
    ///
    /// - Parameter tracer: Where spans go; `nil` for the tracer of the process.
    public init(tracer: (any Tracer)? = nil) {
        self.tracer = tracer ?? InstrumentationSystem.tracer
    }

    /// Runs the rest in a span, which records the error if there is one.
    public func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response {
        try await run(tracer, "\(context.kind) \(context.name)") { try await next(message) }
    }

    private func run<Response>(
        _ tracer: some Tracer,
        _ name: String,
        _ body: () async throws -> Response
    ) async throws -> Response {
        let span = tracer.startSpan(name, ofKind: .internal)
        defer { span.end() }
        do {
            return try await ServiceContext.$current.withValue(span.context) { try await body() }
        } catch {
            span.recordError(error)
            span.setStatus(SpanStatus(code: .error))
            throw error
        }
    }
}
