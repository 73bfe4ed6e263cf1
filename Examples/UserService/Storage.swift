import EventStreaming
import EventStreamingSQLite
import Foundation

#if PostgreSQL
import EventStreamingPostgreSQL
#endif

/// Where this service keeps its events, and how it says so.
struct Storage: Sendable {
    let storage: EventStreamingStorage
    /// For people; without secrets.
    let description: String

    init(_ options: CommandLineOptions) throws {
        switch options.storage {
        case .memory:
            storage = .inMemory
            description = "memory, gone at the end"
        case .sqlite:
            let folder = URL(fileURLWithPath: options.dataFolder, isDirectory: true).standardizedFileURL
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = folder.appendingPathComponent("user-service.sqlite").path
            storage = .sqlite(path: file)
            description = "SQLite file \(file)"
        case .postgresql:
            storage = try Self.postgreSQL()
            description = "PostgreSQL, as DATABASE_URL says"
        }
    }

    /// The address comes by the environment: it may hold a password, which arguments would show to everybody.
    private static func postgreSQL() throws -> EventStreamingStorage {
        #if PostgreSQL
        guard let url = ProcessInfo.processInfo.environment["DATABASE_URL"], !url.isEmpty else {
            throw UserServiceError(.storageMissing, "Set DATABASE_URL to the address of the PostgreSQL server.")
        }
        return .postgreSQL(url: url)
        #else
        throw UserServiceError(.storageMissing, "Built without PostgreSQL; build with --traits PostgreSQL.")
        #endif
    }
}
