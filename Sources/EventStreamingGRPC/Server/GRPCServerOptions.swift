public import GRPCNIOTransportHTTP2Posix

/// Settings of a ``GRPCEventDeliveryProvider``: where it listens, who may do what, and how much anybody may ask for.
public struct GRPCServerOptions: Sendable {
    /// How what is sent is protected.
    public enum Security: Sendable {
        /// Not at all.
        case plaintext
        /// By TLS, with client certificates where the configuration asks for them: `.mTLS(…)` makes one that does.
        case tls(HTTP2ServerTransport.Posix.TransportSecurity.TLS)

        var isEncrypted: Bool {
            if case .tls = self { true } else { false }
        }
    }

    /// The address to listen at. Defaults to `127.0.0.1`: this machine only. IPv4 or IPv6.
    public var host = "127.0.0.1"
    /// The port to listen at; 0 for any that is free, told by ``GRPCEventDeliveryProvider/port``. Defaults to 50 051.
    public var port = 50_051
    /// How what is sent is protected. Defaults to plaintext, which is only possible on this machine unless
    /// ``allowsInsecureConnections``.
    public var security = Security.plaintext
    /// Who finds out who calls. Defaults to `nil`: nobody is asked, and everybody may do everything, which is only possible
    /// on this machine unless ``allowsInsecureConnections``.
    public var authenticator: (any Authenticator)?
    /// Who decides what a caller may do. Defaults to `nil`; with an ``authenticator`` there must be one, since nobody may do
    /// anything that is not allowed.
    public var authorizer: (any Authorizer)?
    /// Whether to listen at other addresses than this machine's own without encryption or without an ``authenticator``.
    /// Everybody who reaches the port can then read along, or do everything. Defaults to `false`: ``GRPCEventDeliveryProvider/run()``
    /// refuses.
    public var allowsInsecureConnections = false
    /// How much anybody may ask for.
    public var limits = Limits()

    /// How often both sides of a `Subscribe` call send something at least; less where the subscription's timeouts are
    /// short. A peer that sends nothing for three times as long is given up. Defaults to 10 seconds. More than zero.
    public var heartbeatInterval: Duration = .seconds(10)
    /// How long a `Subscribe` call may take to say what it is for. Defaults to 10 seconds.
    public var openTimeout: Duration = .seconds(10)
    /// How long a shutdown waits for peers to settle what they hold. Defaults to 5 seconds.
    public var drainTimeout: Duration = .seconds(5)
    /// How long a peer that does not read may take to be told why its call ends. Defaults to 1 second.
    public var closeTimeout: Duration = .seconds(1)

    /// Whether `grpc.reflection.v1` tells tools such as grpcurl which services there are. It tells of no data. Defaults to
    /// `true`.
    public var hasReflection = true

    /// Creates the default options.
    public init() {}
}

extension GRPCServerOptions {
    /// Limits on what peers may ask for. All are set; what has no limit in HTTP/2 by itself has one here.
    ///
    /// Not to be set, since the transport fixes them: metadata has at most 16 KiB for each call; a connection is closed when
    /// it resets more than 200 calls within 30 seconds.
    public struct Limits: Sendable, Hashable {
        /// The most connections at once; more are closed at once. Defaults to 1000. At least 1.
        public var maximumConnections = 1000
        /// The most calls at once on one connection; HTTP/2 makes the peer wait. Defaults to 100. At least 1.
        public var maximumCallsPerConnection = 100
        /// The most calls at once by one caller, by the name it has authenticated as, or else by its address. Defaults to 200.
        public var maximumCallsPerPeer = 200
        /// The most bytes in one message. Defaults to 4 MiB. At least as many as an event may have.
        public var maximumMessageBytes = 4 << 20
        /// How many bytes of events are put into one message at most, unless it has only one. Defaults to 256 KiB.
        public var maximumFrameBytes = 256 << 10
        /// The most events that a consumer may allow to be sent, or hold unsettled. Defaults to 10 000.
        public var maximumCreditEvents = 10_000
        /// The most bytes that a consumer may allow to be sent. Defaults to 16 MiB.
        public var maximumCreditBytes = 16 << 20
        /// The most events that are leased at once for a consumer; that many are in memory until it has read them. Defaults
        /// to 256. 1 to 10 000.
        public var maximumLeaseEvents = 256
        /// The most appends of a `PublishStream` call that wait to be made; then no more is read from it. Defaults to 256.
        public var maximumWaitingAppends = 256
        /// How long a connection without calls is kept. Defaults to 5 minutes.
        public var maximumIdleTime: Duration = .seconds(300)
        /// How long a connection is kept in all before the peer is asked to make a new one; `nil`, the default, for as long as
        /// it lasts.
        public var maximumConnectionAge: Duration?
        /// After what silence of a connection it is tested by a ping. Defaults to 20 seconds.
        public var keepaliveTime: Duration = .seconds(20)
        /// How long the answer to a ping may take before the connection is given up. Defaults to 10 seconds.
        public var keepaliveTimeout: Duration = .seconds(10)
        /// How often a peer may ping at most. One that does so more often is disconnected. Defaults to 5 seconds.
        public var minimumPingInterval: Duration = .seconds(5)

        /// Creates the default limits.
        public init() {}
    }
}
