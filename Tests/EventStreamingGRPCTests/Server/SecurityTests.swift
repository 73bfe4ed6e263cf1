import EventStreaming
import EventStreamingGRPC
import EventStreamingTesting
import GRPCCore
import InMemoryLogging
import Logging
import Testing

@Suite("Security of the server", .timeLimit(.minutes(5)))
struct SecurityTests {
    private static let token = "analytics-token-0123456789abcdef"
    private static let otherToken = "somebody-token-0123456789abcdef"

    @Sendable private func secured(_ options: inout GRPCServerOptions) throws {
        options.authenticator = try StaticTokenAuthenticator([
            "analytics": Self.token, "somebody": Self.otherToken,
        ])
        options.authorizer = try AccessList { list in
            list.allow(
                "analytics",
                to: .subscribe(try SubscriptionID("queue")), .publish(try StreamName("shop")),
                .replay(try StreamName("shop")), .send(command: "Allowed"), .ask(query: "Allowed")
            )
        }
    }

    @Test("without a token, or with a wrong one, nothing can be called", arguments: [nil, "", "wrong", token + "x"])
    func wrongToken(_ token: String?) async throws {
        try await TestServer.run(.with(options: secured)) { server in
            for call in Self.calls {
                #expect(await call(server, token) == "eventStreaming.unauthenticated")
            }
            #expect(server.provider.peers.isEmpty)
        }
    }

    @Test("a caller may do what it is allowed, and nothing else")
    func permissions() async throws {
        try await TestServer.run(.with(options: secured)) { server in
            for call in Self.calls {
                #expect(await call(server, Self.otherToken) == "eventStreaming.permissionDenied")
            }
            for call in Self.calls {
                let code = await call(server, Self.token)
                #expect(code == nil || code == "eventStreaming.unsupported")
            }
            let news = try await server.withSubscriber("news", token: Self.token) { try await $0.end() }
            #expect(news.code == "eventStreaming.permissionDenied")
            #expect(news.closing?.reason == .denied)
        }
    }

    /// One call of each kind, each of which would succeed where it is allowed, or does not know the name.
    private static let calls: [@Sendable (TestServer, String?) async -> String?] = [
        { server, token in
            await wireCode {
                try await server.withSubscriber(token: token) { peer in
                    if let frame = try await peer.next(), case .closing = frame.frame { _ = try await peer.next() }
                }
            }
        },
        { server, token in
            await wireCode {
                try await server.withClient { client in
                    var request = WirePublishRequest()
                    request.stream = "shop"
                    var event = WireNewEvent()
                    event.type = "OrderPlaced"
                    request.events = [event]
                    _ = try await WireEventDelivery.Client(wrapping: client).publish(request, metadata: .token(token))
                }
            }
        },
        { server, token in
            await wireCode {
                try await server.withClient { client in
                    var request = WireReplayRequest()
                    request.stream = "shop"
                    try await WireEventDelivery.Client(wrapping: client).replay(request, metadata: .token(token)) {
                        for try await _ in $0.messages {}
                    }
                }
            }
        },
        { server, token in
            await wireCode {
                try await server.withClient { client in
                    var request = WireSendCommandRequest()
                    request.name = "Allowed"
                    request.body.jsonBytes = [0x7B, 0x7D]
                    _ = try await WireMessages.Client(wrapping: client).sendCommand(request, metadata: .token(token))
                }
            }
        },
        { server, token in
            await wireCode {
                try await server.withClient { client in
                    var request = WireAskQueryRequest()
                    request.name = "Allowed"
                    request.body.jsonBytes = [0x7B, 0x7D]
                    _ = try await WireMessages.Client(wrapping: client).askQuery(request, metadata: .token(token))
                }
            }
        },
    ]

    private struct ExpiringAuthenticator: Authenticator {
        let expiresAt: Timestamp

        func authenticate(_ credentials: PeerCredentials) async throws(EventStreamingError) -> PeerIdentity {
            PeerIdentity(name: "analytics", expiresAt: expiresAt)
        }
    }

    @Test("a call ends when the credentials expire, and no new one begins")
    func expiry() async throws {
        let begin = ManualClock().now
        try await TestServer.run(
            .with(options: { options in
                try secured(&options)
                options.authenticator = ExpiringAuthenticator(expiresAt: begin + .seconds(15))
            })
        ) { server in
            try await server.withSubscriber { peer in
                _ = try await peer.opened()
                for _ in 0..<2 {
                    peer.send { $0.heartbeat = WireClientHeartbeat() }
                    while let frame = try await peer.next() {
                        if case .heartbeat = frame.frame { break }
                    }
                    try await server.clock.waitForSleepers(1)
                    server.clock.advance(by: .seconds(10))
                }
                let end = try await peer.end()
                #expect(end.code == "eventStreaming.unauthenticated")
                #expect(end.closing?.reason == .denied)
            }
            let again = await wireCode { try await server.withSubscriber { _ = try await $0.opened() } }
            #expect(again == "eventStreaming.unauthenticated")
        }
    }

    @Test("health needs no credentials")
    func health() async throws {
        try await TestServer.run(.with(options: secured)) { server in
            try await server.withClient { client in
                let response = try await WireHealth.Client(wrapping: client).check(WireHealthCheckRequest())
                #expect(response.status == .serving)
            }
        }
    }

    @Test("tokens are in no log line and in no error")
    func secrecy() async throws {
        let handler = InMemoryLogHandler()
        try await TestServer.run(
            .with(
                service: { service in
                    service.options.logger = Logger(label: "test") { _ in handler }
                    service.options.logger.logLevel = .trace
                },
                options: secured)
        ) { server in
            let secret = "a-secret-that-is-wrong-0123456789"
            for token in [secret, Self.token] {
                do {
                    try await server.withSubscriber("nothing", token: token) { peer in
                        while try await peer.next() != nil {}
                    }
                } catch {
                    #expect(!"\(error)".contains(token))
                }
            }
            for entry in handler.entries {
                let text = "\(entry.message) \(entry.metadata)"
                #expect(!text.contains(secret) && !text.contains(Self.token))
            }
            #expect(handler.entries.contains { "\($0.message)" == "A call was refused." })
        }
    }

    // MARK: - Starting

    @Test("where others could connect, the server does not start without encryption and authentication")
    func refusal() async throws {
        let cases: [(String, (inout GRPCServerOptions) throws -> Void)] = [
            ("nothing", { $0.host = "0.0.0.0" }), ("nothing, IPv6", { $0.host = "::" }),
            (
                "plaintext",
                { options in
                    try self.secured(&options)
                    options.host = "0.0.0.0"
                }
            ),
            (
                "no rules",
                { options in
                    try self.secured(&options)
                    options.authorizer = nil
                }
            ),
            ("a limit", { $0.limits.maximumConnections = 0 }), ("a time", { $0.heartbeatInterval = .zero }),
            ("messages smaller than events", { $0.limits.maximumMessageBytes = 1000 }),
        ]
        for (name, configure) in cases {
            let streaming = try EventStreaming { _ in }
            let provider = try GRPCEventDeliveryProvider(streaming, configure: configure)
            let error = await #expect(throws: EventStreamingError.self, "\(name)") { try await provider.run() }
            #expect(error?.code == .invalidConfiguration, "\(name)")
            #expect(await provider.port == nil)
        }
    }

    @Test("it starts all the same when it is told to")
    func insecure() async throws {
        try await TestServer.run(
            .with(options: { options in
                options.host = "0.0.0.0"
                options.allowsInsecureConnections = true
            })
        ) { server in
            try await server.withSubscriber { _ = try await $0.opened() }
        }
    }

    @Test("tokens that can be guessed are refused, and comparing takes all bytes into account")
    func tokens() async throws {
        #expect(throws: EventStreamingError.self) { try StaticTokenAuthenticator(["a": "short"]) }
        let authenticator = try StaticTokenAuthenticator(["a": Self.token, "b": Self.otherToken])
        for (token, name) in [(Self.token, "a"), (Self.otherToken, "b")] {
            let identity = try await authenticator.authenticate(PeerCredentials(bearerToken: token, address: ""))
            #expect(identity.name == name)
        }
        for token in [nil, "", String(Self.token.dropLast()), Self.token + Self.token, Self.token.uppercased()] {
            await #expect(throws: EventStreamingError.self) {
                try await authenticator.authenticate(PeerCredentials(bearerToken: token, address: ""))
            }
        }
    }

    // MARK: - TLS

    @Test("by TLS, a client that trusts the root gets through, and one without TLS does not")
    func encrypted() async throws {
        let certificates = try await Certificates.make()
        try await TestServer.run(
            .with(options: { options in
                try secured(&options)
                options.security = .tls(certificates.serverSecurity(mutual: false))
            })
        ) { server in
            try await server.withClient(security: certificates.clientSecurity()) { client in
                try await RawSubscriber.with(client, token: Self.token) { peer in
                    peer.send { frame in
                        frame.open.protocolVersion = 1
                        frame.open.subscription = "queue"
                    }
                    _ = try await peer.opened()
                }
            }
            let plain = await wireCode {
                try await server.withClient { client in
                    try await RawSubscriber.with(client, token: Self.token, timeout: .seconds(2)) { peer in
                        _ = try await peer.next()
                    }
                }
            }
            #expect(plain != nil)
        }
    }

    @Test("by mutual TLS, the certificate says who calls, and without a good one nobody gets in")
    func mutual() async throws {
        let certificates = try await Certificates.make()
        try await TestServer.run(
            .with(options: { options in
                options.security = .tls(certificates.serverSecurity(mutual: true))
                options.authenticator = CertificateAuthenticator()
                options.authorizer = try AccessList { list in
                    list.allow("spiffe://shop/analytics", to: .subscribe(try SubscriptionID("queue")))
                }
            })
        ) { server in
            try await server.withClient(security: certificates.clientSecurity(certificates.client)) { client in
                try await RawSubscriber.with(client) { peer in
                    peer.send { frame in
                        frame.open.protocolVersion = 1
                        frame.open.subscription = "queue"
                    }
                    _ = try await peer.opened()
                    #expect(server.provider.peers.first?.identity.name == "spiffe://shop/analytics")
                }
            }
            for identity in [nil, certificates.stranger] {
                let code = await wireCode {
                    try await server.withClient(security: certificates.clientSecurity(identity)) { client in
                        try await RawSubscriber.with(client, timeout: .seconds(2)) { _ = try await $0.next() }
                    }
                }
                #expect(code != nil)
            }
        }
    }
}
