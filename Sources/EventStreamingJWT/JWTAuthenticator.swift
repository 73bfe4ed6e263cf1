public import EventStreamingCore
public import EventStreamingGRPC
public import JWTKit

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Knows callers by JSON Web Tokens (RFC 7519): whoever signs them says who it is and for how long.
///
/// A token must have a good signature by one of the keys, by the algorithm of that key; `sub`, the caller's name; `exp`, which must
/// not have passed; and `iss` and `aud` as configured. `nbf`, where it is there, must have passed. Calls that are open when the token
/// expires are closed.
///
/// Costs a check of the signature for each call.
public struct JWTAuthenticator: Authenticator {
    private let keys: JWTKeyCollection
    private let issuer: String
    private let audience: String
    private let clock: any EventStreamingClock

    /// How large a token may be.
    private static let maximumBytes = 8192

    /// Creates an authenticator.
    ///
    /// - Parameters:
    ///   - keys: The keys that sign tokens. Keys may be added and removed at any time.
    ///   - issuer: Who must have issued a token.
    ///   - audience: For whom a token must be: this service.
    ///   - clock: The time, by which tokens expire. Defaults to the machine's.
    public init(
        keys: JWTKeyCollection,
        issuer: String,
        audience: String,
        clock: any EventStreamingClock = SystemClock()
    ) {
        self.keys = keys
        self.issuer = issuer
        self.audience = audience
        self.clock = clock
    }

    /// Whose token this is.
    public func authenticate(_ credentials: PeerCredentials) async throws(EventStreamingError) -> PeerIdentity {
        guard let token = credentials.bearerToken, token.utf8.count <= Self.maximumBytes else {
            throw EventStreamingError(.unauthenticated, "A token is needed: authorization: Bearer <token>.")
        }
        let claims: Claims
        do {
            claims = try await keys.verify(token, as: Claims.self)
        } catch {
            // Why is of use to an attacker only.
            throw EventStreamingError(.unauthenticated, "The token is not valid.")
        }
        return try identity(claims)
    }

    private func identity(_ claims: Claims) throws(EventStreamingError) -> PeerIdentity {
        guard claims.iss.value == issuer, claims.aud.value.contains(audience), !claims.sub.value.isEmpty else {
            throw EventStreamingError(.unauthenticated, "The token is not for this service.")
        }
        let now = clock.now
        let expiresAt = Timestamp(claims.exp.value)
        guard now < expiresAt else { throw EventStreamingError(.unauthenticated, "The token has expired.") }
        if let begin = claims.nbf.map({ Timestamp($0.value) }), now < begin {
            throw EventStreamingError(.unauthenticated, "The token is not valid yet.")
        }
        return PeerIdentity(name: claims.sub.value, expiresAt: expiresAt)
    }
}

/// What a token must say.
private struct Claims: JWTPayload {
    var sub: SubjectClaim
    var iss: IssuerClaim
    var aud: AudienceClaim
    var exp: ExpirationClaim
    var nbf: NotBeforeClaim?

    /// Everything is checked against the authenticator's clock and settings.
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

extension Timestamp {
    /// The moment, within what can be told.
    fileprivate init(_ date: Date) {
        let nanoseconds = date.timeIntervalSince1970 * 1e9
        guard nanoseconds.isFinite else {
            self.init(nanosecondsSinceEpoch: .min)
            return
        }
        self.init(nanosecondsSinceEpoch: Int64(max(-9.2e18, min(9.2e18, nanoseconds))))
    }
}
