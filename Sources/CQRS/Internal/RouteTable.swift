/// Finds the route of a message by its type: what both buses are made of.
struct RouteTable: Sendable {
    /// The names of all types of message that have a route, sorted.
    let names: [String]

    private let kind: BusContext.Kind
    /// Under the identity of `M.self` there is a `Route<M>`, always: ``RouteTableBuilder`` makes no other entries.
    private let routes: [ObjectIdentifier: any AnyObject & Sendable]

    init(kind: BusContext.Kind, names: [String], routes: [ObjectIdentifier: any AnyObject & Sendable]) {
        self.kind = kind
        self.names = names
        self.routes = routes
    }

    func contains<Message: BusMessage>(_ type: Message.Type) -> Bool {
        routes[ObjectIdentifier(type)] != nil
    }

    /// Passes `message` to its route.
    ///
    /// - Throws: ``CQRSError`` with code `noHandler` if there is none; otherwise what the route throws.
    @inline(__always)  // One asynchronous call less for each message.
    func dispatch<Message: BusMessage>(
        _ message: Message,
        name: @autoclosure () -> String
    ) async throws -> Message.Response {
        guard let route = routes[ObjectIdentifier(Message.self)] else {
            throw CQRSError(
                code: .noHandler,
                message: "The \(kind) \(name()) has no handler; register one when the bus is built."
            )
        }
        // Checked in debug builds, see `routes`.
        return try await unsafeDowncast(route, to: Route<Message>.self).entry.body(message)
    }
}
