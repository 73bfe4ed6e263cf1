import CBaselines
import EventStreaming
import EventStreamingPostgreSQL

extension PostgreSQLTables: EffectsDatabase {
    func makeEffectsTable() throws {
        guard postgresql_effects_reset(url, schema) == 0 else { throw Baseline.problem }
    }

    static func insertEffect(_ number: Int, _ transaction: any StoreTransaction) throws {
        try transaction.postgreSQL.execute(
            "INSERT INTO effects (number, amount) VALUES ($1, $2)", ["\(number)", "\(number)"])
    }

    func countEffects() throws -> Int {
        let count = postgresql_effects_count(url, schema)
        guard count >= 0 else { throw Baseline.problem }
        return Int(count)
    }

    func insertEffects(_ batches: Int, of size: Int) throws -> Double {
        try Baseline.rate { postgresql_effects_insert(url, schema, Int64(batches), Int32(size)) }
    }
}
