import EventStreaming
import EventStreamingGRPC
import EventStreamingTesting
import Foundation
import Synchronization
import Testing

@Suite("A client's credentials", .timeLimit(.minutes(5)))
struct ClientSecurityTests {
    // MARK: - Tokens

    private static let token = "analytics-token-0123456789abcdef"

    @Sendable private static func secured(_ options: inout GRPCServerOptions) throws {
        options.authenticator = try StaticTokenAuthenticator(["analytics": token])
        options.authorizer = try AccessList { list in
            list.allow("analytics", to: .subscribe(try SubscriptionID("queue")), .publish(try StreamName("shop")))
        }
    }

    @Test("a good token lets in, as far as is allowed")
    func goodToken() async throws {
        try await ShopServer.run(options: Self.secured) { server in
            try await TestClient.run(port: server.port) { options in
                options.token = { Self.token }
            } _: { client in
                try await client.emitter.emit(OrderPlaced(number: 1))
                for try await delivery in try client.subscribe(to: "queue", as: "a") {
                    #expect(delivery.event(as: OrderPlaced.self) == OrderPlaced(number: 1))
                    break
                }
                await expectCode(.permissionDenied) { for try await _ in try client.subscribe(to: "news") {} }
                await expectCode(.permissionDenied) { _ = try await client.replay("shop") }
            }
        }
    }

    @Test("a wrong token, or none, ends everything with its code, and is not tried again", arguments: ["wrong", nil])
    func wrongToken(_ token: String?) async throws {
        let questions = Mutex(0)
        try await ShopServer.run(options: Self.secured) { server in
            try await TestClient.run(port: server.port) { options in
                guard let token else { return }
                options.token = {
                    questions.withLock { $0 += 1 }
                    return token
                }
            } _: { client in
                await expectCode(.unauthenticated) { for try await _ in try client.subscribe(to: "queue", as: "a") {} }
                #expect(token == nil || questions.withLock { $0 } == 1)
                await expectCode(.unauthenticated) { try await client.emitter.emit(OrderPlaced(number: 1)) }
                await expectCode(.unauthenticated) { _ = try await client.replay("shop") }
            }
            #expect(try await server.streaming.metadata(of: "shop").length == 0)
        }
    }

    @Test("a token that cannot be had is tried again, unless its provider says that this is for nothing")
    func noToken() async throws {
        struct Outage: Error {}
        let questions = Mutex(0)
        try await ShopServer.run(options: Self.secured) { server in
            try await server.place(1...1)
            try await TestClient.run(port: server.port) { options in
                options.token = {
                    let question = questions.withLock { questions in
                        questions += 1
                        return questions
                    }
                    if question < 3 { throw Outage() }
                    return Self.token
                }
            } _: { client in
                for try await delivery in try client.subscribe(to: "queue", as: "a") {
                    #expect(delivery.record.offset == .zero)
                    break
                }
                #expect(questions.withLock { $0 } == 3)
            }
            try await TestClient.run(port: server.port) { options in
                options.token = { throw EventStreamingError(.permissionDenied, "The account is closed.") }
            } _: { client in
                await expectCode(.permissionDenied) { for try await _ in try client.subscribe(to: "queue", as: "a") {} }
            }
        }
    }

    /// Knows tokens that say until when they are good, in seconds after a beginning.
    private struct ExpiringAuthenticator: Authenticator {
        let begin: Timestamp

        func authenticate(_ credentials: PeerCredentials) async throws(EventStreamingError) -> PeerIdentity {
            guard let seconds = credentials.bearerToken.flatMap({ Int64($0) }) else {
                throw EventStreamingError(.unauthenticated, "There is no token.")
            }
            return PeerIdentity(name: "analytics", expiresAt: begin + .seconds(seconds))
        }
    }

    @Test("when a token expires, the consumer goes on with the next one; when that has expired, too, its loop ends")
    func expiry() async throws {
        let tokens = Mutex(["15", "30", "30"])
        let received = Received()
        try await ShopServer.run { _ in
        } options: { options in
            try Self.secured(&options)
            options.authenticator = ExpiringAuthenticator(begin: ManualClock().now)
        } _: { server in
            try await TestClient.run(port: server.port) { options in
                options.token = { tokens.withLock { $0.isEmpty ? "none" : $0.removeFirst() } }
            } _: { client in
                let loop = Task { await code { try await ClientReconnectTests.consume(client, .max, into: received) } }
                try await server.place(1...1)
                try await eventually("the first came") { received.acknowledged == [1] }
                server.clock.advance(by: .seconds(15))
                try await server.place(2...2)
                try await eventually("the second came with the next token") { received.acknowledged == [1, 2] }
                #expect(tokens.withLock { $0.count } == 1)
                server.clock.advance(by: .seconds(15))
                #expect(await loop.value == .unauthenticated)
                // Asked once more, and then no more.
                #expect(tokens.withLock { $0.isEmpty })
            }
        }
    }

    // MARK: - TLS

    /// The certificates as files, for as long as `body` takes.
    private static func withFiles(
        _ certificates: Certificates,
        _ body: (_ path: (String) -> String) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "certificates-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        for (name, bytes) in [
            ("root.crt", certificates.root), ("client.crt", certificates.client.certificate),
            ("client.key", certificates.client.key), ("stranger.crt", certificates.stranger.certificate),
            ("stranger.key", certificates.stranger.key),
        ] {
            try Data(bytes).write(to: directory.appending(path: name))
        }
        try await body { directory.appending(path: $0).path }
    }

    /// Publishes and consumes one order.
    private static func passes(_ server: ShopServer, _ security: GRPCClientOptions.Security) async throws {
        try await TestClient.run(port: server.port) { options in
            options.security = security
        } _: { client in
            try await client.emitter.emit(OrderPlaced(number: 1))
            for try await delivery in try client.subscribe(to: "queue", as: "a") {
                #expect(delivery.event(as: OrderPlaced.self) == OrderPlaced(number: 1))
                break
            }
        }
    }

    /// Expects that nothing gets through, and that the error says why.
    private static func fails(_ server: ShopServer, _ security: GRPCClientOptions.Security) async throws {
        try await TestClient.run(port: server.port) { options in
            options.security = security
            options.callTimeout = .milliseconds(500)
            options.keepAliveInterval = .milliseconds(50)
        } _: { client in
            let request = ConsumerRequest(subscription: try SubscriptionID("queue"), consumer: try ConsumerID("a"))
            try await eventually("it is known why there is no connection") {
                do throws(EventStreamingError) {
                    _ = try await client.deliveryProvider.connect(request) {}
                    Issue.record("It is connected.")
                    return true
                } catch {
                    #expect(error.code == .storeUnavailable)
                    return error.underlying != nil
                }
            }
            await expectCode(.timedOut) { try await client.emitter.emit(OrderPlaced(number: 9)) }
        }
        #expect(server.provider.peers.isEmpty)
        #expect(try await server.streaming.metadata(of: "shop").length == 1)
    }

    @Test("by TLS, a client gets through that trusts the server's root, and no other")
    func encrypted() async throws {
        let certificates = try await Certificates.make()
        try await Self.withFiles(certificates) { path in
            try await ShopServer.run { _ in
            } options: { options in
                options.security = .tls(certificates.serverSecurity(mutual: false))
            } _: { [trusted = path("root.crt"), other = path("stranger.crt")] server in
                var tls = GRPCClientOptions.TLS()
                tls.trustRootsPath = trusted
                try await Self.passes(server, .tls(tls))
                tls.trustRootsPath = other
                try await Self.fails(server, .tls(tls))
                try await Self.fails(server, .plaintext)
            }
        }
    }

    @Test("by mutual TLS, a client gets through that has a certificate of the root, and no other")
    func mutual() async throws {
        let certificates = try await Certificates.make()
        try await Self.withFiles(certificates) { path in
            var tls = GRPCClientOptions.TLS()
            tls.trustRootsPath = path("root.crt")
            let anonymous = tls
            tls.certificatesPath = path("stranger.crt")
            tls.privateKeyPath = path("stranger.key")
            let stranger = tls
            tls.certificatesPath = path("client.crt")
            tls.privateKeyPath = path("client.key")
            try await ShopServer.run { _ in
            } options: { options in
                options.security = .tls(certificates.serverSecurity(mutual: true))
                options.authenticator = CertificateAuthenticator()
                options.authorizer = try AccessList { list in
                    list.allow(
                        "spiffe://shop/analytics",
                        to: .subscribe(try SubscriptionID("queue")), .publish(try StreamName("shop")))
                }
            } _: { [tls] server in
                try await Self.passes(server, .tls(tls))
                try await Self.fails(server, .tls(anonymous))
                try await Self.fails(server, .tls(stranger))
            }
        }
    }
}
