import EventStreamingCore
import EventStreamingGRPC
import EventStreamingJWT
import EventStreamingTesting
import Foundation
import JWTKit
import Testing

@Suite("Authentication by JWT")
struct JWTAuthenticatorTests {
    private struct Token: JWTPayload {
        var sub = "analytics"
        var iss: String? = "issuer"
        var aud: [String]? = ["shop"]
        var exp: Int?
        var nbf: Int?

        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    private static let secret = "a secret that only the two of us know, long enough"
    private let clock = ManualClock()

    private func keys(_ secret: String = secret) async -> JWTKeyCollection {
        await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
    }

    private var now: Int { Int(clock.now.nanosecondsSinceEpoch / 1_000_000_000) }

    private func verdict(_ token: String?) async -> Result<PeerIdentity, EventStreamingError> {
        let authenticator = JWTAuthenticator(keys: await keys(), issuer: "issuer", audience: "shop", clock: clock)
        do throws(EventStreamingError) {
            return .success(
                try await authenticator.authenticate(PeerCredentials(bearerToken: token, address: "ipv4:127.0.0.1:1"))
            )
        } catch {
            return .failure(error)
        }
    }

    private func isRefused(_ token: String?) async -> Bool {
        guard case .failure(let error) = await verdict(token) else { return false }
        // The error reaches the caller's log: it must not hold the token.
        return error.code == .unauthenticated && !(token.map { error.description.contains($0) } ?? false)
    }

    @Test("a good token says who calls, and for how long")
    func good() async throws {
        let token = try await keys().sign(Token(exp: now + 60))
        let identity = try await verdict(token).get()
        #expect(identity.name == "analytics")
        #expect(identity.expiresAt == Timestamp(nanosecondsSinceEpoch: Int64(now + 60) * 1_000_000_000))
        clock.advance(by: .seconds(60))
        #expect(await isRefused(token))
    }

    @Test("whatever is wrong with a token, it is refused")
    func bad() async throws {
        let good = Token(exp: now + 60)
        let keys = await keys()
        var tokens: [String?] = [nil, "", "x", "a.b.c", String(repeating: "a", count: 1 << 20)]
        tokens.append(try await self.keys("another secret that nobody here knows, long enough").sign(good))
        tokens.append(try await JWTKeyCollection().withoutSignatures().sign(good))
        for change: (inout Token) -> Void in [
            { $0.exp = nil }, { $0.exp = 0 }, { $0.iss = "other" }, { $0.iss = nil }, { $0.aud = ["other"] },
            { $0.aud = nil }, { $0.sub = "" }, { [now] in $0.nbf = now + 30 },
        ] {
            var token = good
            change(&token)
            tokens.append(try await keys.sign(token))
        }
        for token in tokens {
            #expect(await isRefused(token), "\(token?.prefix(80) ?? "none")")
        }
        // Changed after it was signed.
        let parts = try await keys.sign(good).split(separator: ".").map(String.init)
        let forged = Data(#"{"sub":"admin","iss":"issuer","aud":["shop"],"exp":9999999999}"#.utf8)
            .base64EncodedString().replacingOccurrences(of: "=", with: "")
        #expect(await isRefused("\(parts[0]).\(forged).\(parts[2])"))
    }
}

extension JWTKeyCollection {
    /// Signs without a signature, as forgers do.
    fileprivate func withoutSignatures() -> JWTKeyCollection { addUnsecuredNone(kid: nil) }
}
