import EventStreamingCore
import Logging
import Synchronization

/// Asks the store how the subscriptions of a service do, and remembers what it said.
final class HealthWatch: Sendable {
    private struct Entry {
        var memory: HealthMemory
        var last: HealthObservation?
    }

    private let store: any EventStreamingStore
    private let options: EventStreamingOptions
    private let lifecycle: Lifecycle
    private let entries: Mutex<[SubscriptionID: Entry]>

    init(
        of plans: [SubscriptionPlan],
        in store: any EventStreamingStore,
        _ options: EventStreamingOptions,
        _ lifecycle: Lifecycle
    ) {
        self.store = store
        self.options = options
        self.lifecycle = lifecycle
        let entries = plans.map { ($0.definition.id, Entry(memory: HealthMemory($0.definition, $0.health))) }
        self.entries = Mutex(Dictionary(entries) { first, _ in first })
    }

    /// Looks at a subscription; `nil` when it is not one of the service's.
    ///
    /// - Parameter preparation: What has to be there before the store can be asked.
    func observe(_ definition: SubscriptionDefinition, after preparation: Preparation) async -> HealthObservation? {
        let result: Result<SubscriptionSnapshot, EventStreamingError>
        do throws(EventStreamingError) {
            try await preparation.ready()
            result = .success(try await SubscriptionSnapshot(of: definition, in: store))
        } catch {
            result = .failure(error)
        }
        let moment = HealthMemory.Moment(now: options.clock.now, uptime: options.clock.uptime)
        return take(result, of: definition.id, at: moment)
    }

    private func take(
        _ result: Result<SubscriptionSnapshot, EventStreamingError>,
        of subscription: SubscriptionID,
        at moment: HealthMemory.Moment
    ) -> HealthObservation? {
        let (observation, before): (HealthObservation?, HealthStatus?) = entries.withLock { entries in
            guard var entry = entries[subscription] else { return (nil, nil) }
            let before = entry.last?.health.status
            switch result {
            case .success(let snapshot): entry.last = entry.memory.see(snapshot, at: moment)
            // Says nothing about the store.
            case .failure(let error) where error.code == .cancelled && entry.last != nil: break
            case .failure(let error): entry.last = entry.memory.fail(error, at: moment)
            }
            entries[subscription] = entry
            return (entry.last, before)
        }
        // That nobody consumes what a service leaves behind when it shuts down is no news.
        if let health = observation?.health, let before, before != health.status, !lifecycle.isDraining {
            tell(health, before)
        }
        return observation
    }

    private func tell(_ health: SubscriptionHealth, _ before: HealthStatus) {
        options.logger.log(
            level: health.status > before ? .warning : .info,
            "The health of a subscription changed from \(before) to \(health.status).",
            metadata: [
                LogKey.subscription: "\(health.subscription)", "since": "\(health.since)", "cause": "\(health.message)",
            ]
        )
    }
}
