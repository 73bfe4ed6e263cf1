import Configuration
import EventStreaming
import EventStreamingConfiguration
import Foundation
import Testing

private struct OrderWorkflow: Workflow {}

private struct OrderPlaced: Event {
    typealias Process = OrderWorkflow
    var number: Int
}

@Suite("Services from configurations")
struct ConfigurationTests {
    private func service(_ values: [AbsoluteConfigKey: ConfigValue]) throws -> EventStreaming {
        try EventStreaming(configuration: ConfigReader(provider: InMemoryProvider(values: values))) { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
        }
    }

    private func problems(_ values: [AbsoluteConfigKey: ConfigValue]) -> [String] {
        do {
            _ = try service(values)
            return []
        } catch let error as EventStreamingError {
            return error.code == .invalidConfiguration ? error.problems : ["\(error)"]
        } catch {
            return ["\(error)"]
        }
    }

    @Test("Without values, events are kept in memory")
    func defaults() async throws {
        let streaming = try service([:])
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        #expect(try await streaming.metadata(of: "order-events").count == 1)
    }

    @Test("A file keeps events from one service to the next")
    func sqlite() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("config-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let values: [AbsoluteConfigKey: ConfigValue] = [
            "storage": "sqlite", "path": .init(stringLiteral: folder.path + "/events.sqlite"),
        ]
        for count in 1...2 {
            let streaming = try service(values)
            try await streaming.emitter.emit(OrderPlaced(number: count))
            #expect(try await streaming.metadata(of: "order-events").count == count)
        }
    }

    @Test("Limits are read")
    func limits() async throws {
        let streaming = try service(["limits.maximumPayloadBytes": 5])
        await #expect(throws: EventStreamingError.self) { try await streaming.emitter.emit(OrderPlaced(number: 1)) }
    }

    @Test("Everything that is wrong is told at once")
    func wrong() {
        let problems = problems([
            "storage": "sqlite", "limits.maximumHeaders": "many", "shutdownTimeoutSeconds": 0,
            "retentionIntervalSeconds": "99999999999999999999",
        ])
        #expect(problems.count == 4, "\(problems)")
        #expect(problems.first?.contains("path is missing") == true)
    }

    @Test("An unknown storage is named, with the choice there is")
    func unknown() {
        let problems = problems(["storage": "mysql\u{1B}[31m"])
        #expect(problems.count == 1 && problems[0].contains("postgresql") && !problems[0].contains("\u{1B}"))
    }

    @Test("No error shows the address of a server, which may hold a password")
    func secrets() {
        let text = problems([
            "storage": "postgresql", "url": "postgresql://ada:s3cret@127.0.0.1:1/none?connect_timeout=1",
            "pool.maximumConnections": 0,
        ]).joined()
        #expect(!text.isEmpty && !text.contains("s3cret"), "\(text)")
    }
}
