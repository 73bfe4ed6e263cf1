import EventStreaming
import EventStreamingGRPC
import Testing

@Suite("A client's options")
struct ClientOptionsTests {
    private func problems(host: String, _ change: (inout GRPCClientOptions) -> Void = { _ in }) -> [String] {
        var options = GRPCClientOptions(host: host, port: 8980)
        change(&options)
        do {
            _ = try GRPCEventClient(options)
            return []
        } catch let error as EventStreamingError {
            #expect(error.code == .invalidConfiguration)
            return error.problems.isEmpty ? [error.message] : error.problems
        } catch {
            return ["\(error)"]
        }
    }

    @Test(
        "need TLS, or the word that it is not needed, to another machine",
        arguments: ["10.0.0.7", "example.org", "::2"])
    func plaintext(host: String) {
        #expect(problems(host: host).count == 1)
        #expect(problems(host: host) { $0.security = .plaintext }.isEmpty)
        #expect(problems(host: host) { $0.security = .tls }.isEmpty)
    }

    @Test("need nothing on this machine", arguments: ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
    func loopback(host: String) {
        #expect(problems(host: host).isEmpty)
    }

    @Test("are checked, all at once")
    func all() {
        let all = problems(host: "127.x") { options in
            options.port = 0
            options.callTimeout = .seconds(-1)
            options.keepAliveInterval = .zero
            options.maximumMessageBytes = 1
        }
        #expect(all.count == 5)
        #expect(problems(host: "localhost") { $0.prefetch = 0 }.count == 1)
        #expect(problems(host: "localhost") { $0.reconnects.shortestDelay = .zero }.count == 1)
        let found = problems(host: "localhost") { options in
            var half = GRPCClientOptions.TLS()
            half.certificatesPath = "client.pem"
            options.security = .tls(half)
        }
        #expect(found.count == 1)
    }

    @Test("name files of TLS that must be there")
    func files() {
        let found = problems(host: "localhost") { options in
            var tls = GRPCClientOptions.TLS()
            tls.trustRootsPath = "/nowhere/roots.pem"
            options.security = .tls(tls)
        }
        #expect(found.count == 1)
    }
}
