import CrashTesting
import EventStreamingSQLite
import GRDB

extension CrashRun {
    /// A run with a database file, and a seed of its own.
    init(sqlite path: String, folder: String) {
        self.init(
            storageArgument: "sqlite:\(path)",
            storage: .sqlite(path: path),
            folder: folder,
            seed: UInt64.random(in: 1 ... .max)
        ) {
            try await DatabaseQueue(path: path).read {
                try Int64.fetchAll($0, sql: "SELECT place FROM probe_effects")
            }
        }
    }
}

extension ExactlyOnceRun {
    /// A run with a database file, and a seed of its own.
    init(sqlite path: String, folder: String) {
        self.init(
            storageArgument: "sqlite:\(path)",
            storage: .sqlite(path: path),
            folder: folder,
            seed: UInt64.random(in: 1 ... .max)
        ) {
            try await DatabaseQueue(path: path).read { database in
                try Row.fetchAll(database, sql: "SELECT number, subscription, event_id, place FROM exact_effects").map {
                    ProbeRow(number: $0[0], subscription: $0[1], eventID: $0[2], place: $0[3])
                }
            }
        }
    }
}
