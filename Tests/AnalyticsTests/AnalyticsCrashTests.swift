import Foundation
import ProcessTesting
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// The service in one process, the analytics in another; either is killed and started again.
@Suite("Two processes", .serialized, .timeLimit(.minutes(3)))
struct AnalyticsCrashTests {
    private struct Place {
        let folder: String
        let port: Int

        var service: [String] { ["--grpc-port", "\(port)", "--data-dir", folder + "/data", "--timeout", "2", "-"] }
        var analytics: [String] { ["--port", "\(port)", "--counts", folder + "/counts.json"] }
    }

    private func withPlace<Result>(_ body: (Place) async throws -> Result) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "analytics-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(Place(folder: folder, port: try freePort()))
    }

    private func service<Result>(_ place: Place, _ body: (Program) async throws -> Result) async throws -> Result {
        try await withProgram(at: builtProgram("UserService"), place.service, deadline: .seconds(60), body)
    }

    private func analytics<Result>(_ place: Place, _ body: (Program) async throws -> Result) async throws -> Result {
        try await withProgram(at: builtProgram("Analytics"), place.analytics, deadline: .seconds(60), body)
    }

    private func add(_ numbers: ClosedRange<Int>) -> String {
        numbers.map { #"{"command":"AddUser","id":"u-\#($0)","name":"U","email":"u\#($0)@example.org"}"# + "\n" }
            .joined()
    }

    private func remove(_ numbers: ClosedRange<Int>) -> String {
        numbers.map { #"{"command":"RemoveUser","user":"u-\#($0)"}"# + "\n" }.joined()
    }

    @Test("count right, whichever is killed and started again, in any order")
    func killAndRestart() async throws {
        try await withPlace { place in
            // The analytics comes first, and waits for its service.
            try await analytics(place) { analytics in
                _ = try await analytics.lines(until: "0 users")
                try await service(place) { service in
                    try await service.write(add(1...20))
                    _ = try await analytics.lines(until: "20 users: 20 added, 0 removed")
                    // The service is killed in the middle of its work.
                    try await service.write(add(21...60))
                    try service.kill()
                    _ = try await service.outcome()
                }
                try await service(place) { service in
                    // What had got lost is sent again; what had not is refused by its id.
                    try await service.write(add(21...60))
                    _ = try await analytics.lines(until: "60 users: 60 added, 0 removed")
                    // The analytics is killed in the middle of its work.
                    try await service.write(add(61...200))
                    try analytics.kill()
                    _ = try await analytics.outcome()
                    try service.kill()
                    _ = try await service.outcome()
                }
            }
            // Both at once, and the service comes first.
            try await service(place) { service in
                try await service.write(add(61...200))
                try await analytics(place) { analytics in
                    try await service.write(remove(1...10))
                    _ = try await analytics.lines(until: "190 users: 200 added, 10 removed")
                    try analytics.send(SIGTERM)
                    #expect(try await analytics.outcome().exitCode == 0)
                }
                try service.send(SIGTERM)
                #expect(try await service.outcome().exitCode != nil)
            }
            let file = try Data(contentsOf: URL(fileURLWithPath: place.folder + "/counts.json"))
            let counts = try JSONDecoder().decode(CountsContent.self, from: file)
            #expect(counts.added == 200)
            #expect(counts.removed == 10)
        }
    }
}

private struct CountsContent: Decodable {
    var added: Int
    var removed: Int
}

/// A port that nobody listens at now.
private func freePort() throws -> Int {
    #if canImport(Glibc)
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
    let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
    }
    guard isBound else { throw CocoaError(.featureUnsupported) }
    return Int(UInt16(bigEndian: address.sin_port))
}
