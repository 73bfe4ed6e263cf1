#if PostgreSQL
/// One step from one version of the tables to the next. Once released, never changed.
struct Migration: Sendable {
    /// The version that the tables have afterwards.
    let version: Int
    /// What it is for, as a comment in the printed SQL.
    let purpose: String
    /// The statements.
    let sql: @Sendable (MigrationSettings) -> String
}

/// What migrations ask about the store that they are made for.
struct MigrationSettings: Sendable {
    let eventsPerPartition: Int
}
#endif
