public import EventStreamingCore

/// What a caller wants to do.
public enum PeerOperation: Sendable, Hashable {
    /// Consume a subscription.
    case subscribe(SubscriptionID)
    /// Publish to a stream.
    case publish(StreamName)
    /// Replay a stream.
    case replay(StreamName)
    /// Send a command of this name.
    case send(command: String)
    /// Ask a query of this name.
    case ask(query: String)
}

extension PeerOperation: CustomStringConvertible {
    /// The operation and what it is about, for people.
    public var description: String {
        switch self {
        case .subscribe(let subscription): "consume the subscription '\(subscription)'"
        case .publish(let stream): "publish to the stream '\(stream)'"
        case .replay(let stream): "replay the stream '\(stream)'"
        case .send(let command): "send the command \(EventStreamingError.printable(command))"
        case .ask(let query): "ask the query \(EventStreamingError.printable(query))"
        }
    }
}

/// Decides what a caller may do.
public protocol Authorizer: Sendable {
    /// Whether `peer` may do `operation`. Asked when a call begins, and for each append.
    func allows(_ operation: PeerOperation, by peer: PeerIdentity) async -> Bool
}

/// Permissions as a list: what is not in it is denied.
public struct AccessList: Authorizer {
    private var allowed: [String: Set<PeerOperation>] = [:]
    private var unlimited: Set<String> = []

    /// Creates a list that allows nothing.
    public init() {}

    /// Creates a list.
    public init(_ configure: (inout AccessList) throws -> Void) rethrows {
        try configure(&self)
    }

    /// Allows operations to a caller, besides what was allowed before.
    public mutating func allow(_ peer: String, to operations: PeerOperation...) {
        allowed[peer, default: []].formUnion(operations)
    }

    /// Allows everything to a caller.
    public mutating func allowEverything(to peer: String) {
        unlimited.insert(peer)
    }

    /// Whether that was allowed.
    public func allows(_ operation: PeerOperation, by peer: PeerIdentity) async -> Bool {
        unlimited.contains(peer.name) || allowed[peer.name]?.contains(operation) == true
    }
}

/// The rules of a server, put together: who calls, and may it do that?
struct AccessControl: Sendable {
    let authenticator: (any Authenticator)?
    let authorizer: (any Authorizer)?

    init(_ options: GRPCServerOptions) {
        authenticator = options.authenticator
        authorizer = options.authorizer
    }

    func authenticate(_ credentials: PeerCredentials) async throws(EventStreamingError) -> PeerIdentity {
        guard let authenticator else { return .anonymous }
        return try await authenticator.authenticate(credentials)
    }

    /// - Throws: `permissionDenied`.
    func authorize(_ peer: PeerIdentity, _ operation: PeerOperation) async throws(EventStreamingError) {
        let isAllowed =
            if let authorizer {
                await authorizer.allows(operation, by: peer)
            } else {
                // Nobody knows who calls; the server does not start so unless that was said to be right.
                authenticator == nil
            }
        guard isAllowed else {
            throw EventStreamingError(.permissionDenied, "'\(peer.name)' may not \(operation).")
        }
    }
}
