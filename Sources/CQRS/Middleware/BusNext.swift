/// The rest of the way of a message: the middleware further in, the validation, the handler.
///
/// Call it like a function. It may be called any number of times (not at all to answer without the handler, again to
/// retry), kept, and called from another task.
public struct BusNext<Message: BusMessage>: Sendable {
    @usableFromInline let body: @Sendable (Message) async throws -> Message.Response

    /// Creates the rest of a way from a closure, for tests of a middleware.
    ///
    /// - Parameter body: Stands for everything further in.
    public init(_ body: @escaping @Sendable (_ message: Message) async throws -> Message.Response) {
        self.body = body
    }

    /// Passes `message` on.
    ///
    /// - Parameter message: The message, or a changed one of the same type.
    /// - Returns: The response of the handler, as changed by middleware further in.
    /// - Throws: ``ValidationError`` for an invalid message; otherwise what the handler or the middleware throws.
    // Inlinable: one call less for each middleware and message.
    @inlinable
    public func callAsFunction(_ message: Message) async throws -> Message.Response {
        try await body(message)
    }
}
