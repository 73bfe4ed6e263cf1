/// A ``RouteDraft`` for a type of message that is no longer known.
protocol AnyRouteDraft: Sendable {
    /// The name of the type of message outside the process.
    var name: String { get }
    /// The full name of the type of message, for people.
    var typeName: String { get }

    func problems() -> [ConfigurationProblem]
    func makeRoute(middleware: [any BusMiddleware]) -> (any AnyObject & Sendable)?
}
