public import EventStreamingCore

/// Finds out who calls.
public protocol Authenticator: Sendable {
    /// Who has these credentials. Called for every call, so it should be quick, or remember.
    ///
    /// - Throws: code `unauthenticated` when they are missing, wrong or expired; `storeUnavailable` when that cannot be found
    ///   out now. The message reaches the caller: it must not hold credentials.
    func authenticate(_ credentials: PeerCredentials) async throws(EventStreamingError) -> PeerIdentity
}

/// What a caller shows to prove who it is. Not to be logged; its description shows nothing of the token.
public struct PeerCredentials: Sendable, CustomStringConvertible {
    /// The token of the metadata `authorization: Bearer …`; `nil` where there is none.
    public let bearerToken: String?
    /// The names in the certificate by which the peer has proved itself in TLS: its alternative names, then its common name.
    /// None without mutual TLS.
    public let certificateNames: [String]
    /// From where it calls, for example `ipv4:127.0.0.1:31415`.
    public let address: String

    /// Creates credentials.
    public init(bearerToken: String?, certificateNames: [String] = [], address: String) {
        self.bearerToken = bearerToken
        self.certificateNames = certificateNames
        self.address = address
    }

    /// Where the peer calls from, and what it has shown, but not the token.
    public var description: String {
        "\(address), \(bearerToken == nil ? "no token" : "a token"), certificate names \(certificateNames)"
    }
}

/// Who calls.
public struct PeerIdentity: Sendable, Hashable {
    /// The caller's name, for permissions, limits and logs.
    public let name: String
    /// When the credentials end. Calls that are open then are closed, with code `unauthenticated`. `nil` for never.
    public let expiresAt: Timestamp?

    /// Creates an identity.
    public init(name: String, expiresAt: Timestamp? = nil) {
        self.name = name
        self.expiresAt = expiresAt
    }

    /// Who calls where nobody is asked.
    static let anonymous = PeerIdentity(name: "anonymous")
}

/// Knows callers by tokens that do not change.
///
/// Tokens are compared in a time that does not depend on how much of them is right. Give every caller a token of its own,
/// made at random, of 32 characters or more.
public struct StaticTokenAuthenticator: Authenticator {
    private let tokens: [(token: [UInt8], identity: PeerIdentity)]

    /// Creates an authenticator.
    ///
    /// - Parameter tokens: The name of each caller, and its token. A caller may have several names; tokens must differ.
    /// - Throws: `EventStreamingError` with code `invalidConfiguration` for a token with fewer than 16 characters.
    public init(_ tokens: KeyValuePairs<String, String>) throws(EventStreamingError) {
        for (name, token) in tokens where token.utf8.count < 16 {
            throw EventStreamingError(
                .invalidConfiguration,
                "The token of '\(name)' has fewer than 16 bytes, which can be guessed; use 32 random characters."
            )
        }
        self.tokens = tokens.map { (Array($0.value.utf8), PeerIdentity(name: $0.key)) }
    }

    /// Who has this token.
    public func authenticate(_ credentials: PeerCredentials) async throws(EventStreamingError) -> PeerIdentity {
        guard let token = credentials.bearerToken else {
            throw EventStreamingError(.unauthenticated, "A token is needed: authorization: Bearer <token>.")
        }
        let bytes = Array(token.utf8)
        var found: PeerIdentity?
        // All are compared, so that the time says nothing about which one is close.
        for (known, identity) in tokens where known.isEqualInConstantTime(to: bytes) {
            found = identity
        }
        guard let found else { throw EventStreamingError(.unauthenticated, "The token is not known.") }
        return found
    }
}

/// Knows callers by the certificates that they show in mutual TLS: the first name is the caller's.
public struct CertificateAuthenticator: Authenticator {
    /// Creates an authenticator.
    public init() {}

    /// Who has this certificate.
    public func authenticate(_ credentials: PeerCredentials) async throws(EventStreamingError) -> PeerIdentity {
        guard let name = credentials.certificateNames.first else {
            throw EventStreamingError(.unauthenticated, "A client certificate with a name is needed.")
        }
        return PeerIdentity(name: name)
    }
}

extension [UInt8] {
    /// Whether the bytes are the same, found out in a time that depends on the length of `other` only.
    func isEqualInConstantTime(to other: [UInt8]) -> Bool {
        var difference = count ^ other.count
        for index in other.indices {
            let own = isEmpty ? 0 : self[index % count]
            difference |= Int(own ^ other[index])
        }
        return difference == 0
    }
}
