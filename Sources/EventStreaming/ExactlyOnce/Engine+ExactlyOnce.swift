import EventStreamingCore
import Logging

extension Engine {
    /// Whether any subscription marks the events that it processed.
    var marksEvents: Bool { plans.values.contains { $0.definition.semantics.exactlyOnceForm != nil } }

    /// Throws where a subscription needs transactions that the store does not have.
    static func checkTransactions(
        of store: any EventStreamingStore,
        for definitions: [SubscriptionDefinition]
    ) throws(EventStreamingError) {
        guard !(store is any TransactionalStore) else { return }
        for definition in definitions where definition.semantics.exactlyOnceForm == .transactional {
            throw EventStreamingError(
                .unsupported,
                "Subscription '\(definition.id)' is exactlyOnce, which commits what its handler writes together with the "
                    + "event, and the store has no transactions. Use SQLite or PostgreSQL, or .exactlyOnce(.lockAndMark), "
                    + "with which a crash between an effect and the mark repeats the effect."
            )
        }
    }

    /// Says in the log what exactly once means for each subscription that has it.
    func announceExactlyOnce() {
        for plan in plans.values.sorted(by: { $0.definition.id < $1.definition.id }) {
            let meaning: String
            switch plan.definition.semantics.exactlyOnceForm {
            case nil: continue
            case .transactional:
                meaning =
                    "Exactly once in transactions: writes, mark and position of an event are committed together; effects "
                    + "outside of the transaction are not covered."
            case .lockAndMark:
                meaning =
                    "Exactly once by lock and mark: at most one completed processing of an event; a crash between an "
                    + "effect and the mark repeats the effect."
            }
            options.logger.info(
                "\(meaning)",
                metadata: [LogKey.subscription: "\(plan.definition.id)", "semantics": "\(plan.definition.semantics)"]
            )
        }
    }

    /// Removes marks that are older than they need to be, step by step.
    func removeOldMarks() async {
        guard marksEvents else { return }
        let time = clock.now - options.processedEventRetention
        let limit = 1000
        var removed = 0
        do throws(EventStreamingError) {
            while !Task.isCancelled, !lifecycle.isDraining {
                let step = try await store.cleanup(olderThan: time, limit: limit)
                removed += step.marks
                guard step.marks > 0 || step.locks > 0 else { break }
            }
        } catch  where error.code != .cancelled {
            options.logger.warning(
                "Old marks of processed events could not be removed; it is tried again.",
                metadata: [LogKey.error: "\(error)"]
            )
        } catch {
            return
        }
        if removed > 0 {
            options.logger.debug("Old marks of processed events were removed.", metadata: [LogKey.count: "\(removed)"])
        }
    }
}
