import EventStreamingCore
import GRPCNIOTransportHTTP2Posix

extension GRPCServerOptions {
    var address: GRPCNIOTransportCore.SocketAddress {
        host.contains(":") ? .ipv6(host: host, port: port) : .ipv4(host: host, port: port)
    }

    var transportSecurity: HTTP2ServerTransport.Posix.TransportSecurity {
        switch security {
        case .plaintext: .plaintext
        case .tls(let configuration): .tls(configuration)
        }
    }

    func transportConfig(_ connections: ConnectionCounter) -> HTTP2ServerTransport.Posix.Config {
        .defaults { config in
            config.connection.maxIdleTime = limits.maximumIdleTime
            config.connection.maxAge = limits.maximumConnectionAge
            config.connection.maxGraceTime = limits.maximumConnectionAge.map { _ in drainTimeout }
            config.connection.keepalive.time = limits.keepaliveTime
            config.connection.keepalive.timeout = limits.keepaliveTimeout
            config.connection.keepalive.clientBehavior.allowWithoutCalls = true
            config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = limits.minimumPingInterval
            config.http2.maxConcurrentStreams = limits.maximumCallsPerConnection
            config.http2.targetWindowSize = 1 << 20
            config.rpc.maxRequestPayloadSize = limits.maximumMessageBytes
            config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
                connections.admit(channel)
            }
        }
    }

    /// Whether only this machine can connect.
    var isLocal: Bool { host == "::1" || host == "localhost" || host.hasPrefix("127.") }

    /// - Throws: `invalidConfiguration` with everything that is wrong.
    func check(maximumPayloadBytes: Int) throws(EventStreamingError) {
        var problems: [String] = []
        if !isLocal, !allowsInsecureConnections {
            if !security.isEncrypted {
                problems.append(
                    "The server would listen at \(host) without encryption. Set security to .tls(…), listen at 127.0.0.1, or "
                        + "set allowsInsecureConnections, if everybody on the way may read along."
                )
            }
            if authenticator == nil {
                problems.append(
                    "The server would listen at \(host) and let everybody do everything. Set an authenticator, listen at "
                        + "127.0.0.1, or set allowsInsecureConnections."
                )
            }
        }
        if authenticator != nil, authorizer == nil {
            problems.append(
                "There is an authenticator and no authorizer, so that nobody could do anything. Set one, for example an "
                    + "AccessList."
            )
        }
        problems += limits.problems(maximumPayloadBytes: maximumPayloadBytes)
        for (name, time) in [
            ("heartbeatInterval", heartbeatInterval), ("openTimeout", openTimeout), ("closeTimeout", closeTimeout),
        ] where time <= .zero {
            problems.append("\(name) is \(time); it must be more than zero.")
        }
        if !(0...65_535).contains(port) { problems.append("port is \(port); use 0 to 65535.") }
        guard problems.isEmpty else {
            throw EventStreamingError(
                .invalidConfiguration,
                "The gRPC server is not configured as it should be.",
                problems: problems
            )
        }
    }
}

extension GRPCServerOptions.Limits {
    fileprivate func problems(maximumPayloadBytes: Int) -> [String] {
        var problems: [String] = []
        for (name, value, range) in [
            ("maximumConnections", maximumConnections, 1...1_000_000),
            ("maximumCallsPerConnection", maximumCallsPerConnection, 1...100_000),
            ("maximumCallsPerPeer", maximumCallsPerPeer, 1...1_000_000),
            ("maximumFrameBytes", maximumFrameBytes, 1...(1 << 30)),
            ("maximumCreditEvents", maximumCreditEvents, 1...10_000_000),
            ("maximumCreditBytes", maximumCreditBytes, 1...(1 << 40)),
            ("maximumLeaseEvents", maximumLeaseEvents, 1...10_000),
            ("maximumWaitingAppends", maximumWaitingAppends, 1...100_000),
        ] where !range.contains(value) {
            problems.append("limits.\(name) is \(value); use \(range.lowerBound) to \(range.upperBound).")
        }
        // Headers and names come on top of the payload.
        let needed = maximumPayloadBytes.addingReportingOverflow(64 << 10)
        if needed.overflow || maximumMessageBytes < needed.partialValue || maximumMessageBytes > 1 << 30 {
            problems.append(
                "limits.maximumMessageBytes is \(maximumMessageBytes), and an event may have \(maximumPayloadBytes) bytes; use "
                    + "64 KiB more than that at least, and 1 GiB at most."
            )
        }
        for (name, time) in [
            ("maximumIdleTime", maximumIdleTime), ("keepaliveTime", keepaliveTime),
            ("keepaliveTimeout", keepaliveTimeout), ("minimumPingInterval", minimumPingInterval),
        ] where time <= .zero {
            problems.append("limits.\(name) is \(time); it must be more than zero.")
        }
        return problems
    }
}
