import GRPCNIOTransportHTTP2Posix
import ProcessTesting
import Testing

/// Certificates for one test: a root, one for the server, one for a client called `analytics`, and one that nobody signed.
struct Certificates: Sendable {
    let root: [UInt8]
    let server: (certificate: [UInt8], key: [UInt8])
    let client: (certificate: [UInt8], key: [UInt8])
    let stranger: (certificate: [UInt8], key: [UInt8])

    private static let script = """
        set -e
        directory=$(mktemp -d)
        trap 'rm -rf "$directory"' EXIT
        cd "$directory"
        key="-newkey ec -pkeyopt ec_paramgen_curve:P-256"
        openssl req -new -x509 $key -nodes -days 2 -subj "/CN=root" -keyout root.key -out root.crt
        openssl req -new $key -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
        echo "subjectAltName=IP:127.0.0.1,DNS:localhost" >server.names
        openssl req -new $key -nodes -subj "/CN=analytics" -keyout client.key -out client.csr
        echo "subjectAltName=URI:spiffe://shop/analytics" >client.names
        for name in server client; do
            openssl x509 -req -in $name.csr -CA root.crt -CAkey root.key -CAcreateserial -days 2 \\
                -extfile $name.names -out $name.crt
        done
        openssl req -new -x509 $key -nodes -days 2 -subj "/CN=analytics" -keyout stranger.key -out stranger.crt
        for file in root.crt server.crt server.key client.crt client.key stranger.crt stranger.key; do
            echo "== $file"
            cat $file
        done
        """

    static func make() async throws -> Certificates {
        let outcome = try await runProgram(at: "/bin/sh", ["-c", script])
        try #require(outcome.exitCode == 0, "\(outcome.errors)")
        var files: [String: String] = [:]
        var name = ""
        for line in outcome.lines {
            if line.hasPrefix("== ") {
                name = String(line.dropFirst(3))
            } else {
                files[name, default: ""] += line + "\n"
            }
        }
        func file(_ name: String) throws -> [UInt8] { Array(try #require(files[name]).utf8) }
        return Certificates(
            root: try file("root.crt"),
            server: (try file("server.crt"), try file("server.key")),
            client: (try file("client.crt"), try file("client.key")),
            stranger: (try file("stranger.crt"), try file("stranger.key"))
        )
    }

    func serverSecurity(mutual: Bool) -> GRPCServerTLS {
        let chain = [TLSConfig.CertificateSource.bytes(server.certificate, format: .pem)]
        let key = TLSConfig.PrivateKeySource.bytes(server.key, format: .pem)
        guard mutual else { return .defaults(certificateChain: chain, privateKey: key) }
        return .mTLS(certificateChain: chain, privateKey: key) { tls in
            tls.trustRoots = .certificates([.bytes(root, format: .pem)])
        }
    }

    func clientSecurity(
        _ identity: (certificate: [UInt8], key: [UInt8])? = nil
    ) -> HTTP2ClientTransport.Posix.TransportSecurity {
        .tls { tls in
            tls.trustRoots = .certificates([.bytes(root, format: .pem)])
            // The certificate is for the address; the name is not asked for.
            tls.serverCertificateVerification = .noHostnameVerification
            if let identity {
                tls.certificateChain = [.bytes(identity.certificate, format: .pem)]
                tls.privateKey = .bytes(identity.key, format: .pem)
            }
        }
    }
}

typealias GRPCServerTLS = HTTP2ServerTransport.Posix.TransportSecurity.TLS
