#if PostgreSQL
import EventStreamingCore
import EventStreamingPostgreSQL
import Foundation
import PostgreSQLTesting
import Testing

@Suite("Encrypted connections", .serialized, .timeLimit(.minutes(5)))
struct EncryptionTests {
    private func error(at url: String) async throws -> EventStreamingError? {
        let store = try PostgreSQLEventStreamStore(url: url, options: PostgreSQLServer.freshOptions())
        do {
            try await store.createStream(StreamDefinition(name: StreamName("orders"), type: .persistent))
            return nil
        } catch {
            return error
        }
    }

    @Test("A server is believed only with a certificate that is vouched for, and made out to its name")
    func verification() async throws {
        let server = try PostgreSQLServer(.encrypted)
        defer { server.stop() }
        let root = server.rootCertificate
        let name = "postgresql://postgres@localhost:\(server.port)/postgres?sslmode=verify-full"
        #expect(try await error(at: name + "&sslrootcert=\(root)") == nil)

        // Nobody vouches for it.
        let stranger = try await error(at: name + "&sslrootcert=\(server.directory)/server.crt")
        #expect(stranger?.code == .storeUnavailable, "\(String(describing: stranger))")
        // Made out to another name than the one that was asked for.
        let address = "postgresql://postgres@127.0.0.1:\(server.port)/postgres?sslmode=verify-full"
        let other = try await error(at: address + "&sslrootcert=\(root)")
        #expect(other?.code == .storeUnavailable, "\(String(describing: other))")
        #expect(other?.message.contains("certificate") == true, "\(String(describing: other))")
    }

    @Test("A server without encryption is refused where encryption is asked for")
    func plainServer() async throws {
        let server = try PostgreSQLServer.shared.get()
        let error = try await error(at: server.loopbackURL(parameters: "?sslmode=require"))
        #expect(error?.code == .storeUnavailable, "\(String(describing: error))")
    }
}
#endif
