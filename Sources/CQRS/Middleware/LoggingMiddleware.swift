public import Logging

/// Logs every message at `debug` once it is handled, with its name and how long it took.
///
/// Failures are logged at `debug` as well, with the error attached: what is thrown is the caller's to judge.
/// Messages themselves are never logged, they may hold what does not belong in a log.
///
/// Metadata: `cqrs.name`, `cqrs.kind` (`command` or `query`), `cqrs.duration_ns`, and on failure `cqrs.error.type`.
///
/// With `debug` off, a message costs a look at the log level, and no clock is read.
public struct LoggingMiddleware: BusMiddleware {
    private let logger: Logger?

    /// Creates the middleware.
    ///
    /// - Parameter logger: Where to log to. Defaults to `nil`: the task-local `Logger.current` at the time of each
    ///   message, with all the metadata the application has bound to it.
    public init(logger: Logger? = nil) {
        self.logger = logger
    }

    /// Passes `message` on and logs how that went.
    ///
    /// - Parameters:
    ///   - message: The message; not logged.
    ///   - context: The name and the kind of the message; logged.
    ///   - next: The rest of the way. Called exactly once.
    /// - Returns: What `next` returns.
    /// - Throws: What `next` throws, unchanged.
    public func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response {
        let logger = self.logger ?? Logger.current
        guard logger.logLevel <= .debug else { return try await next(message) }

        let start = ContinuousClock.now
        do {
            let response = try await next(message)
            let duration = start.duration(to: .now)
            logger.debug("Message handled", metadata: Self.metadata(context, duration))
            return response
        } catch {
            var metadata = Self.metadata(context, start.duration(to: .now))
            metadata["cqrs.error.type"] = "\(type(of: error))"
            logger.debug("Message failed", error: error, metadata: metadata)
            throw error
        }
    }

    private static func metadata(_ context: BusContext, _ duration: Duration) -> Logger.Metadata {
        let (seconds, attoseconds) = duration.components
        return [
            "cqrs.name": "\(context.name)",
            "cqrs.kind": "\(context.kind)",
            "cqrs.duration_ns": "\(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)",
        ]
    }
}
