import EventStreaming
import EventStreamingCore
import GRPCCore
import GRPCNIOTransportHTTP2Posix

extension GRPCClientOptions {
    /// Everything that is wrong with the options.
    var problems: [String] {
        var problems: [String] = []
        if host.isEmpty {
            problems.append("There is no host.")
        }
        if !(1...65_535).contains(port) {
            problems.append("The port is \(port); it must be 1 to 65535.")
        }
        if case .automatic = security.kind, !isLoopback {
            problems.append(
                "\(EventStreamingError.printable(host)) is another machine: set security to .tls, or say .plaintext where "
                    + "nobody else is on the network."
            )
        }
        if case .tls(let tls) = security.kind, (tls.certificatesPath == nil) != (tls.privateKeyPath == nil) {
            problems.append("Of the client's certificate and its key, one is missing.")
        }
        let shortest = Duration.milliseconds(10)
        if keepAliveInterval < shortest || keepAliveTimeout < shortest {
            problems.append("keepAliveInterval and keepAliveTimeout must be at least 10 milliseconds.")
        }
        if callTimeout < .zero || closeTimeout < .zero {
            problems.append("callTimeout and closeTimeout must not be negative.")
        }
        if maximumMessageBytes < 1024 || prefetchBytes < 1024 {
            problems.append("maximumMessageBytes and prefetchBytes must be at least 1024.")
        }
        return problems
    }

    private var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") && isIPv4 }

    private var isIPv4: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    private var target: any ResolvableTarget {
        if isIPv4 {
            .ipv4(address: host, port: port)
        } else if host.contains(":") {
            .ipv6(address: host, port: port)
        } else {
            .dns(host: host, port: port)
        }
    }

    private var transportSecurity: HTTP2ClientTransport.Posix.TransportSecurity {
        guard case .tls(let tls) = security.kind else { return .plaintext }
        return .tls { config in
            if let path = tls.trustRootsPath {
                config.trustRoots = .certificates([.file(path: path, format: .pem)])
            }
            if let certificates = tls.certificatesPath, let key = tls.privateKeyPath {
                config.certificateChain = [.file(path: certificates, format: .pem)]
                config.privateKey = .file(path: key, format: .pem)
            }
        }
    }

    /// - Throws: `invalidConfiguration` for files of TLS that cannot be read.
    func makeTransport() throws(EventStreamingError) -> HTTP2ClientTransport.Posix {
        let config = HTTP2ClientTransport.Posix.Config.defaults { config in
            config.backoff = HTTP2ClientTransport.Config.Backoff(
                initial: reconnects.shortestDelay,
                max: reconnects.longestDelay,
                multiplier: 2,
                jitter: min(max(reconnects.jitter, 0), 1)
            )
            if case .tls(let tls) = security.kind {
                config.http2.authority = tls.serverName
            }
        }
        do {
            return try HTTP2ClientTransport.Posix(
                target: target,
                transportSecurity: transportSecurity,
                config: config
            )
        } catch {
            throw EventStreamingError(
                .invalidConfiguration,
                "The settings of TLS cannot be used; look whether the files are there, readable, and in the format PEM.",
                underlying: error
            )
        }
    }

    /// Options for calls; without a timeout where the call goes on.
    func callOptions(timeout: Duration?) -> CallOptions {
        var options = CallOptions.defaults
        options.timeout = timeout
        options.waitForReady = true
        options.maxRequestMessageBytes = maximumMessageBytes
        options.maxResponseMessageBytes = maximumMessageBytes
        return options
    }

    /// - Throws: what the token's provider throws, `storeUnavailable` for errors of other kinds.
    func metadata() async throws(EventStreamingError) -> Metadata {
        guard let token else { return [:] }
        do {
            return ["authorization": .string("Bearer \(try await token())")]
        } catch let error as EventStreamingError {
            throw error
        } catch is CancellationError {
            throw EventStreamingError(.cancelled, "The task was cancelled while it waited for a token.")
        } catch {
            throw EventStreamingError(.storeUnavailable, "There is no token at the moment.", underlying: error)
        }
    }
}

extension EventStreamingError {
    /// What a call has failed with, as a client should see it: a server that goes away is one that cannot be reached now.
    init(calling error: any Error) {
        guard !Task.isCancelled else {
            self.init(.cancelled, "The task was cancelled before the server had answered.", underlying: error)
            return
        }
        let known: EventStreamingError
        switch error {
        case let error as EventStreamingError: known = error
        case let error as RPCError: known = EventStreamingError(error)
        default: known = EventStreamingError(.storeUnavailable, "The server cannot be reached.", underlying: error)
        }
        self = known.fromServer
    }

    /// What a server has answered, as a client should see it.
    var fromServer: EventStreamingError {
        switch code {
        case .shuttingDown, .shutDown:
            EventStreamingError(.storeUnavailable, "The server is shutting down.", underlying: self)
        case .cancelled:
            EventStreamingError(.storeUnavailable, "The server gave up the call.", underlying: self)
        default: self
        }
    }
}
