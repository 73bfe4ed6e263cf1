/// Answers one type of query.
///
/// A handler is a value built once, with its dependencies passed to its initialiser, and registered by value;
/// the query and its response are inferred from `handle`:
///
/// ```swift
/// struct FindUserHandler: QueryHandler {
///     let users: any UserDirectory
///
///     func handle(_ query: FindUser) async throws -> User? {
///         try await users.find(query.id)
///     }
/// }
/// ```
public protocol QueryHandler<Handled>: Sendable {
    /// The type of query this handler answers.
    associatedtype Handled: Query

    /// Answers `query`.
    ///
    /// The bus calls this concurrently, once for each query asked, in the isolation of the asker, unless the method is
    /// `@concurrent`, as it is by default in modules without the feature `NonisolatedNonsendingByDefault`. Mark it so if
    /// it computes for long and may be called from a global actor.
    ///
    /// It runs only for queries that passed validation. Whatever it throws reaches the asker unchanged.
    ///
    /// Cancellation is the handler's to observe: the bus neither checks for it nor shields from it.
    ///
    /// - Parameter query: The query, already validated.
    /// - Returns: The answer.
    /// - Throws: Whatever the asker should see.
    func handle(_ query: Handled) async throws -> Handled.Response
}
