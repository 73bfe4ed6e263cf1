/// Everything that a store must be able to do, as a list of named checks.
///
/// For authors of stores. The checks are written against the documentation of
/// `EventStreamStore`, `SubscriptionStore` and `DeadLetterStore` only, need no test library, and never wait for real
/// time: the store must take the time from the clock it is made with. With Swift Testing:
///
/// ```swift
/// @Test("Follows the contract of stores", arguments: StoreConformance.checks)
/// func conforms(_ check: StoreCheck) async throws {
///     try await check.run { clock in InMemoryEventStreamStore(clock: clock) }
/// }
/// ```
public enum StoreConformance {
    /// All checks, each with a name of its own.
    public static let checks: [StoreCheck] = [
        AppendChecks.all, ExpectedVersionChecks.all, IdempotencyChecks.all, FidelityChecks.all, OpaquePayloadChecks.all,
        ReadChecks.all, ReaderChecks.all,
        PositionChecks.all, OffsetChecks.all, LeaseChecks.all, SettlementChecks.all, SettlingDequeueChecks.all,
        RedeliveryChecks.all,
        ExpiryChecks.all,
        ConsumerChecks.all, ConsumerTimeoutChecks.all, BroadcastChecks.all, ExclusiveChecks.all,
        GroupChecks.all, GroupOrderChecks.all, ParkedChecks.all, PartitionChecks.all,
        ReceiptChecks.all, ReceiptSettlementChecks.all, ReceiptListChecks.all, ReceiptExpiryChecks.all,
        DeadLetterChecks.all, RedriveChecks.all, DiscardChecks.all, ActivityChecks.all,
        RetentionChecks.all, RetentionPolicyChecks.all,
        CapacityChecks.all, FilterChecks.all, DefinitionChecks.all, BadInputChecks.all, ObserverChecks.all,
        MarkChecks.all, LockChecks.all, ConcurrencyChecks.all, TransactionChecks.all, RandomizedChecks.all,
    ].flatMap { $0 }

    /// Random members of consumer groups that come, go, fail and fall silent, on a manual clock: each seed is another
    /// history of 400 calls, and after each call what happened is held against the rules of groups.
    ///
    /// - Parameter seeds: The histories to run, one after the other on one store.
    public static func groupSimulation(seeds: ClosedRange<UInt64>) -> StoreCheck {
        StoreCheck("group simulation \(seeds)") { harness in
            for seed in seeds {
                do {
                    var run = try await GroupRun(harness: harness, seed: seed)
                    try await run.steps(400)
                    try await run.drain()
                } catch {
                    throw ConformanceFailure(message: "seed \(seed): \(error)", file: #fileID, line: #line)
                }
            }
        }
    }
}
