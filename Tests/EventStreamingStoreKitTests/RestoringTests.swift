import EventStreamingCore
import EventStreamingTesting
import Testing

@testable import EventStreamingStoreKit

/// Restored from what was written down after each change, a subscription goes on as if nothing had happened.
@Suite("Restoring subscriptions")
struct RestoringTests {
    /// A stream in which every third event is of another type.
    private struct Log: SubscriptionLog {
        var head: Int64

        func type(at offset: Int64) throws(EventStreamingError) -> EventType {
            EventType(name: offset % 3 == 0 ? "Other" : "Wanted")
        }

        func key(at offset: Int64) throws(EventStreamingError) -> PartitionKey {
            PartitionKey(hash: UInt32(truncatingIfNeeded: offset % 11))
        }
    }

    /// The rows as a store has them.
    private struct Rows {
        var subscription = SubscriptionRecord(lastKey: 0, position: 0, next: 0, missed: 0, partitions: 0)
        var consumers: [ConsumerID: ConsumerRecord] = [:]
        var deliveries: [UInt64: DeliveryRecord] = [:]
        var partitions: [Int: PartitionRecord] = [:]

        mutating func write(_ changes: SubscriptionChanges) {
            subscription = changes.subscription
            for consumer in changes.consumers {
                consumers[consumer.id] = consumer
            }
            for id in changes.removedConsumers {
                consumers[id] = nil
                deliveries = deliveries.filter { $0.value.consumer != id }
            }
            for delivery in changes.deliveries {
                deliveries[delivery.key] = delivery
            }
            for key in changes.removedDeliveries {
                deliveries[key] = nil
            }
            for partition in changes.partitions {
                partitions[partition.number] = partition
            }
        }

        func restore(_ definition: SubscriptionDefinition) -> SubscriptionState {
            let records = SubscriptionRecords(
                subscription: subscription,
                consumers: Array(consumers.values),
                deliveries: Array(deliveries.values),
                partitions: Array(partitions.values)
            )
            return SubscriptionState(restoring: records, definition: definition, seed: 7)
        }
    }

    @Test("A restored subscription decides as the one that was written down", arguments: 1...60 as ClosedRange<UInt64>)
    func decidesAlike(seed: UInt64) throws {
        var random = Seeded(seed)
        var definition = try SubscriptionDefinition(
            id: SubscriptionID("s"),
            stream: StreamName("events"),
            mode: [.exclusive, .broadcast, .consumerGroup].randomElement(using: &random) ?? .exclusive,
            partitions: Int.random(in: 1...6, using: &random)
        )
        definition.retry.jitter = 0
        definition.retry.maximumAttempts = 3
        definition.eventTypes = Bool.random(using: &random) ? nil : ["Wanted"]
        var floor = RetentionFloor()
        var state = SubscriptionState(definition, at: 0, seed: 7, tracksChanges: true, floor: &floor)
        var rows = Rows()
        rows.write(state.takeChanges())
        var log = Log(head: 0)
        var uptime = Duration.zero
        var registrations: [ConsumerRegistration] = []
        var leases: [(lease: Portion, holder: ConsumerRegistration)] = []
        for step in 0..<300 {
            // The one that goes on, and the one that is made anew before each step.
            var restored = rows.restore(definition)
            let moment = Moment(now: Timestamp(nanosecondsSinceEpoch: Int64(step)), uptime: uptime)
            var outcomes: [String] = []
            var next: [SubscriptionState] = []
            let choice = Int.random(in: 0..<10, using: &random)
            let dice = UInt64.random(in: 0..<1000, using: &random)
            var found: (Portion, ConsumerRegistration)?
            var came: ConsumerRegistration?
            for var candidate in [state, restored] {
                var effects = SubscriptionEffects()
                var floor = RetentionFloor()
                let outcome = Self.step(
                    choice, dice, &candidate, moment, log, registrations, leases, &floor, &effects, &found, &came
                )
                outcomes.append("\(outcome) \(effects.hasNews) \(effects.givenUp.map(\.offset)) \(effects.expired)")
                next.append(candidate)
            }
            try #require(outcomes[0] == outcomes[1], "seed \(seed), step \(step), choice \(choice)")
            state = next[0]
            restored = next[1]
            try #require(
                state.partitionInfos == restored.partitionInfos,
                "seed \(seed), step \(step), choice \(choice)"
            )
            let changes = state.takeChanges()
            rows.write(changes)
            try #require(
                "\(changes.subscription)" == "\(restored.takeChanges().subscription)",
                "seed \(seed), step \(step), choice \(choice)"
            )
            if let found { leases.append((found.0, found.1)) }
            if let came { registrations.append(came) }
            if choice == 8 { log.head += Int64(dice % 20) }
            if choice == 9 { uptime += .seconds(Int64(dice % 40)) }
        }
        #expect(state.takeChanges().deliveries.isEmpty)
    }

    private static func step(
        _ choice: Int,
        _ dice: UInt64,
        _ state: inout SubscriptionState,
        _ moment: Moment,
        _ log: Log,
        _ registrations: [ConsumerRegistration],
        _ leases: [(lease: Portion, holder: ConsumerRegistration)],
        _ floor: inout RetentionFloor,
        _ effects: inout SubscriptionEffects,
        _ found: inout (Portion, ConsumerRegistration)?,
        _ came: inout ConsumerRegistration?
    ) -> String {
        state.expire(at: moment, floor: &floor, effects: &effects)
        do {
            switch choice {
            case 0:
                let id = try ConsumerID("c\(dice % 4)")
                let epoch = state.nextEpoch()
                state.register(
                    id,
                    kind: dice % 2 == 0 ? .durable : .temporary,
                    epoch: epoch,
                    position: min(log.head, Int64(dice % 5)),
                    at: moment,
                    floor: &floor,
                    effects: &effects
                )
                came = ConsumerRegistration(subscription: state.definition.id, consumer: id, epoch: epoch)
            case 1...3:
                guard let holder = registrations.last(where: { $0.epoch % 3 == dice % 3 }) else { return "nobody" }
                let limit = Int(dice % 7) + 1
                let dequeued = try state.dequeue(
                    as: holder,
                    limit: limit,
                    settling: nil,
                    at: moment,
                    log: log,
                    parkedKeys: { ParkedKeys() },
                    floor: &floor,
                    effects: &effects
                )
                switch dequeued {
                case .portion(let portion):
                    found = (portion, holder)
                    return "\(portion)"
                case .unfinished: return "unfinished"
                case .empty(let until): return "empty \(String(describing: until))"
                }
            case 4...6:
                guard !leases.isEmpty else { return "no lease" }
                let (lease, holder) = leases[Int(dice) % leases.count]
                var settlement = Settlement(of: holder, leaseEpoch: lease.key)
                let offsets = StreamOffset(lease.span.lowerBound)..<StreamOffset(lease.span.upperBound)
                if choice == 4 {
                    settlement.completed = [offsets]
                } else if choice == 5 {
                    let action: Rejection.Action =
                        dice % 5 == 0 ? .deadLetter : .retry(after: dice % 2 == 0 ? nil : .zero)
                    settlement.rejections = [Rejection(offsets: offsets, action: action, reason: "no")]
                } else {
                    settlement.completed = [offsets.lowerBound..<offsets.lowerBound.advanced(by: 1)]
                    settlement.releasesRest = dice % 2 == 0
                }
                try state.settle(settlement, at: moment, floor: &floor, effects: &effects)
            case 7:
                guard let holder = registrations.last else { return "nobody" }
                if dice % 3 == 0 {
                    try state.unregister(holder, at: moment, floor: &floor, effects: &effects)
                } else if dice % 3 == 1 {
                    let head = min(log.head, Int64(dice % 50))
                    guard dice % 2 == 0 else {
                        let consumer = state.isShared ? nil : holder.consumer
                        try state.setPosition(
                            of: consumer, to: head, epoch: holder.epoch, floor: &floor, effects: &effects
                        )
                        return "\(state.positions)"
                    }
                    return "\(state.lap(before: head, floor: &floor).ranges) \(state.positions)"
                } else {
                    try state.heartbeat(holder, extending: .all, at: moment, floor: &floor)
                }
            default: break
            }
            return "done"
        } catch {
            return "\(error)"
        }
    }
}
