import CBaselines
import EventStreaming
import EventStreamingSQLite
import GRDB

extension SQLiteFile: EffectsDatabase {
    func makeEffectsTable() throws {
        guard sqlite_effects_reset(path) == 0 else { throw Baseline.problem }
    }

    static func insertEffect(_ number: Int, _ transaction: any StoreTransaction) throws {
        let insert = try transaction.sqlite.database.cachedStatement(
            sql: "INSERT INTO effects (number, amount) VALUES (?, ?)")
        try insert.execute(arguments: [number, number])
    }

    func countEffects() throws -> Int {
        let count = sqlite_effects_count(path)
        guard count >= 0 else { throw Baseline.problem }
        return Int(count)
    }

    func insertEffects(_ batches: Int, of size: Int) throws -> Double {
        try Baseline.rate { sqlite_effects_insert(path, Int64(batches), Int32(size)) }
    }
}
