/// Gathers handlers, validation rules and middleware for a ``QueryBus``.
///
/// ```swift
/// let bus = try QueryBus { queries in
///     queries.use(LoggingMiddleware())
///     queries.add(FindUserHandler(users: directory))
///     queries.on(CountUsers.self) { _ in try await directory.count() }
///     queries.validate(CountUsers.self) { query, violations in … }
///     queries.require(ListUsers.self)
/// }
/// ```
///
/// The order of calls does not matter, except that middleware runs in the order of ``use(_:)``. Nothing is checked
/// before ``build()``, which then reports everything at once; nothing can be changed after it.
public struct QueryBusBuilder: ~Copyable, Sendable {
    var table = RouteTableBuilder(kind: .query)

    /// Creates a builder that knows nothing yet.
    public init() {}

    /// Registers the handler of a type of query, both inferred from `handler`.
    ///
    /// - Parameter handler: The handler; kept, and called concurrently, for as long as the bus lives.
    // Inlinable: the closure is then compiled for the type of handler, which makes its call direct.
    @inlinable
    public mutating func add<Handler: QueryHandler>(_ handler: Handler) {
        on(Handler.Handled.self) { query in
            try await handler.handle(query)
        }
    }

    /// Registers a closure as the handler of a type of query.
    ///
    /// - Parameters:
    ///   - type: The type of query.
    ///   - handle: Answers one query. See ``QueryHandler/handle(_:)`` for what it may rely on.
    public mutating func on<Q: Query>(
        _ type: Q.Type,
        _ handle: @escaping @Sendable (_ query: Q) async throws -> Q.Response
    ) {
        table.update(type, name: type.queryName) { draft in draft.handlers.append(BusNext(handle)) }
    }

    /// Adds rules for a type of query, on top of those it brings along as ``Validatable``.
    ///
    /// May be called more than once for a type; the rules run in that order, after those of the query itself.
    ///
    /// - Parameters:
    ///   - type: The type of query. It must have a handler, or ``build()`` throws.
    ///   - check: Records every rule that a query violates.
    public mutating func validate<Q: Query>(
        _ type: Q.Type,
        _ check: @escaping @Sendable (_ query: Q, _ violations: inout Violations) -> Void
    ) {
        table.update(type, name: type.queryName) { draft in draft.rules.append(ValidationRule(check)) }
    }

    /// Demands that a type of query has a handler, so that a forgotten one is found when the bus is built.
    ///
    /// - Parameter type: The type of query.
    public mutating func require<Q: Query>(_ type: Q.Type) {
        table.update(type, name: type.queryName) { draft in draft.isRequired = true }
    }

    /// Runs `middleware` around every handler of the bus, whether registered before or after this call.
    ///
    /// - Parameter middleware: Runs further in than all middleware used before it; the first one is the outermost.
    public mutating func use(_ middleware: some BusMiddleware) {
        table.use(middleware)
    }

    /// Checks everything that was registered and makes the bus.
    ///
    /// - Returns: The bus, ready to be used from any task.
    /// - Throws: One ``CQRSError`` that lists every problem: ``CQRSError/Code/duplicateHandler`` for a type with
    ///   several handlers, ``CQRSError/Code/noHandler`` for a required or validated type without one,
    ///   ``CQRSError/Code/duplicateName`` for types with the same name, and
    ///   ``CQRSError/Code/invalidConfiguration`` if there are problems of more than one of these kinds.
    public consuming func build() throws(CQRSError) -> QueryBus {
        QueryBus(table: try table.build())
    }
}
