/// Runs around the handlers of a bus, for every message: logging, metrics, tracing, transactions, retries.
///
/// One middleware serves commands and queries alike; ``BusContext/kind`` tells them apart.
///
/// ```swift
/// struct CountingMiddleware: BusMiddleware {
///     let counter: Counter
///
///     func intercept<Message: BusMessage>(
///         _ message: Message,
///         context: BusContext,
///         next: BusNext<Message>
///     ) async throws -> Message.Response {
///         counter.increment()
///         return try await next(message)
///     }
/// }
/// ```
///
/// Middleware wraps validation too, so it sees the ``ValidationError`` of a message that never reached its handler. It
/// does not see messages that have no handler: those fail before there is a route.
///
/// The chain is put together once for each type of message, when the bus is built. A bus without middleware pays nothing.
public protocol BusMiddleware: Sendable {
    /// Handles `message`, usually by passing it to `next`.
    ///
    /// Called concurrently, once for each message, in the isolation of the sender. Whatever it returns or throws is
    /// what the middleware further out, and in the end the sender, gets. Cancellation is neither checked nor shielded
    /// by the bus.
    ///
    /// - Parameters:
    ///   - message: The message, not validated yet.
    ///   - context: The name and the kind of the message.
    ///   - next: The rest of the way. Not calling it answers without the handler.
    /// - Returns: The response for whoever is further out.
    /// - Throws: What `next` throws, or an error of its own.
    func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response
}
