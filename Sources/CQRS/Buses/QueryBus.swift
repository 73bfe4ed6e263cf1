/// Takes every query to its handler.
///
/// ```swift
/// let bus = try QueryBus { queries in
///     queries.add(FindUserHandler(users: directory))
/// }
/// let user = try await bus.ask(FindUser(id: id))     // typed: User?
/// ```
///
/// A bus is immutable: it may be used from any number of tasks at once, and they never wait for each other.
public final class QueryBus: Sendable {
    private let table: RouteTable

    /// The names of all types of query the bus handles, sorted.
    public var queryNames: [String] { table.names }

    /// Creates a bus from what `configure` registers.
    ///
    /// - Parameter configure: Registers handlers, rules and middleware. Called once, before this returns.
    /// - Throws: What `configure` throws; otherwise a ``CQRSError`` that lists everything that is wrong with the
    ///   registrations, as ``QueryBusBuilder/build()`` does.
    public init(_ configure: (_ queries: inout QueryBusBuilder) throws -> Void) throws {
        var builder = QueryBusBuilder()
        try configure(&builder)
        table = try builder.table.build()
    }

    init(table: RouteTable) {
        self.table = table
    }

    /// Whether queries of type `type` have a handler.
    ///
    /// - Parameter type: The type of query.
    /// - Returns: `false` if ``ask(_:)`` would throw ``CQRSError/Code/noHandler``.
    public func handles<Q: Query>(_ type: Q.Type) -> Bool {
        table.contains(type)
    }

    /// Passes `query` through middleware and validation to its handler.
    ///
    /// The handler runs in the caller's task and isolation; when this returns, it has returned. Without middleware and
    /// rules, asking costs a lookup and a call, and allocates nothing.
    ///
    /// Cancellation is the handler's to observe: a query asked from a cancelled task still reaches its handler.
    ///
    /// - Parameter query: The query.
    /// - Returns: The response of the handler.
    /// - Throws: ``CQRSError`` with code ``CQRSError/Code/noHandler`` if there is no handler; ``ValidationError`` with
    ///   every violated rule, in which case no handler has run; otherwise what the handler or a middleware throws.
    public func ask<Q: Query>(_ query: Q) async throws -> Q.Response {
        try await table.dispatch(query, name: Q.queryName)
    }
}
