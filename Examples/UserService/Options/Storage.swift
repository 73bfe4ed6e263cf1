import EventStreaming
import EventStreamingSQLite
import Foundation

#if PostgreSQL
import EventStreamingPostgreSQL
#endif

/// Where this service keeps its events and its charges, and how it says so.
struct Storage: Sendable {
    let storage: EventStreamingStorage
    let charges: ChargeBook
    /// For people; without secrets.
    let description: String

    private init(_ storage: EventStreamingStorage, _ charges: ChargeBook, _ description: String) {
        self.storage = storage
        self.charges = charges
        self.description = description
    }

    /// Opens the storage that was asked for, and makes what is missing.
    static func open(_ options: CommandLineOptions) async throws -> Storage {
        let storage =
            switch options.storage {
            case .memory: Storage(.inMemory, .list(ChargeList()), "memory, gone at the end")
            case .sqlite: try sqlite(inFolder: options.dataFolder)
            case .postgresql: try postgreSQL()
            }
        if case .table(let table) = storage.charges {
            try await table.create()
        }
        return storage
    }

    private static func sqlite(inFolder path: String) throws -> Storage {
        let folder = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("user-service.sqlite").path
        let store = try SQLiteEventStreamStore(path: file)
        return Storage(
            EventStreamingStorage { _ in store }, .table(SQLiteChargeTable(store: store)), "SQLite file \(file)")
    }

    /// The address comes by the environment: it may hold a password, which arguments would show to everybody.
    private static func postgreSQL() throws -> Storage {
        #if PostgreSQL
        guard let url = ProcessInfo.processInfo.environment["DATABASE_URL"], !url.isEmpty else {
            throw UserServiceError(.storageMissing, "Set DATABASE_URL to the address of the PostgreSQL server.")
        }
        let store = try PostgreSQLEventStreamStore(url: url)
        return Storage(
            EventStreamingStorage { _ in store }, .table(PostgreSQLChargeTable(store: store)),
            "PostgreSQL, as DATABASE_URL says")
        #else
        throw UserServiceError(.storageMissing, "Built without PostgreSQL; build with --traits PostgreSQL.")
        #endif
    }
}
