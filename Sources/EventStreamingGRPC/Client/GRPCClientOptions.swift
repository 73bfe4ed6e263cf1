public import EventStreaming

/// How a ``GRPCEventClient`` reaches its server.
public struct GRPCClientOptions: Sendable {
    /// How bytes travel.
    public struct Security: Sendable {
        enum Kind: Sendable {
            case automatic, plaintext
            case tls(TLS)
        }

        let kind: Kind

        /// In plain text to addresses of this machine; to any other, the client cannot be created.
        public static let automatic = Security(kind: .automatic)
        /// In plain text to any address: whoever is on the way can read everything, tokens included, and change it.
        public static let plaintext = Security(kind: .plaintext)
        /// Encrypted, with the settings of the system: the server must have a certificate for the name of the host, by an
        /// authority that this machine trusts.
        public static let tls = Security(kind: .tls(TLS()))
        /// Encrypted.
        public static func tls(_ settings: TLS) -> Security { Security(kind: .tls(settings)) }
    }

    /// Settings of TLS. Files are in the format PEM, and are read when the client is created.
    public struct TLS: Sendable, Hashable {
        /// The file with the authorities that are trusted; `nil`, the default, for those of the system.
        public var trustRootsPath: String?
        /// The name that the server's certificate must have; `nil`, the default, for the host's name. A certificate for the
        /// address that is connected to will do, too.
        public var serverName: String?
        /// The file with the client's own certificates, the leaf first; `nil`, the default, for none. For servers that want to
        /// know their clients by it (mutual TLS).
        public var certificatesPath: String?
        /// The file with the key of the client's own certificate.
        public var privateKeyPath: String?

        /// Creates the default settings.
        public init() {}
    }

    /// The server's host: a name, or an address of IPv4 or IPv6.
    public var host: String
    /// The server's port. 1 to 65535.
    public var port: Int
    /// How bytes travel. Defaults to ``Security/automatic``.
    public var security = Security.automatic
    /// Gives the bearer token, asked anew for every call, so that it can be renewed; it should keep the token for as long as it
    /// is good. Defaults to `nil`: no token. What it throws is as if the server could not be reached, unless it is an
    /// `EventStreamingError`. Tokens are never logged.
    public var token: (@Sendable () async throws -> String)?
    /// How long to wait before trying again to reach the server.
    public var reconnects = ReconnectPolicy()
    /// The most time that a call may take, reconnecting included: publishing, sending, asking, a page of a replay, and until
    /// a consumer is registered (then tried again). Zero fails at once with code `timedOut`. Defaults to 30 seconds.
    public var callTimeout: Duration = .seconds(30)
    /// How long nothing may be heard while calls are under way, before the server is asked whether it is there. Defaults to 10
    /// seconds; at least 10 milliseconds. Together with ``keepAliveTimeout``, how long it takes at most to find out that the
    /// other side is gone without a word; all calls then end, and there is a new connection.
    public var keepAliveInterval: Duration = .seconds(10)
    /// How long the server may take to answer that. Defaults to 5 seconds; at least 10 milliseconds. If it is too short, a
    /// server that is only busy loses its clients, and what they were working on is delivered again.
    public var keepAliveTimeout: Duration = .seconds(5)
    /// How long a consumer waits, when it ends, for the server to have taken what it had to say. Defaults to 5 seconds.
    public var closeTimeout: Duration = .seconds(5)
    /// The most bytes of one message in either direction. Defaults to 16 MiB; at least 1 KiB. Must not be less than what the
    /// server sends at most; a consumer finds out when it is registered, and ends with code `invalidConfiguration`.
    public var maximumMessageBytes: Int = 16 << 20
    /// The most events that a consumer works on at once; as many again may be on their way. Fewer are asked for while handling
    /// is slow. Defaults to 256. 1 to 100 000.
    public var prefetch: Int = 256
    /// The most bytes of events that are on their way to a consumer, but for one batch. Defaults to 4 MiB; at least 1 KiB.
    public var prefetchBytes: Int = 4 << 20

    /// Creates options with every setting at its default.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}
