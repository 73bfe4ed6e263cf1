package import EventStreamingCore

extension SubscriptionState {
    /// Shares the partitions out anew, after members came or went.
    mutating func sharePartitions(effects: inout SubscriptionEffects) {
        guard partitions != nil else { return }
        let members = connectedPlaces.map { consumers[$0].membership.epoch }
        if partitions?.share(among: members) == true {
            effects.hasNews = true
        }
    }

    /// The partitions, as ``SubscriptionStore/partitions(of:)`` says.
    package var partitionInfos: [PartitionInfo] {
        guard let partitions else { return [] }
        var names: [UInt64: ConsumerID] = [:]
        for place in consumers.indices {
            names[consumers[place].membership.epoch] = consumers[place].id
        }
        var holders: [Int: UInt64] = [:]
        for delivery in shared.deliveries.values {
            guard case .leased(let holder, _) = delivery.phase else { continue }
            delivery.keys?.forEach(in: delivery.remaining) { _, key in
                let number = key.partition(of: partitions.count)
                if partitions.entries[number].owner != holder {
                    holders[number] = holder
                }
            }
        }
        return partitions.entries.indices.map { number in
            let entry = partitions.entries[number]
            return PartitionInfo(
                number: number,
                owner: entry.owner.flatMap { names[$0] },
                epoch: entry.epoch,
                previousOwner: holders[number].flatMap { names[$0] }
            )
        }
    }

    /// Shares out the events into another number of partitions, as ``SubscriptionStore/repartition(_:into:)`` says. Throws
    /// before it changes anything.
    package mutating func repartition(
        into count: Int,
        at moment: Moment,
        floor: inout RetentionFloor,
        effects: inout SubscriptionEffects
    ) throws(EventStreamingError) {
        guard let partitions else {
            throw EventStreamingError(
                .unsupported,
                "Subscription '\(definition.id)' has mode \(definition.mode); only consumer groups have partitions."
            )
        }
        guard (1...Limits.partitions).contains(count) else {
            throw EventStreamingError(
                .invalidArgument,
                "The number of partitions is \(count); use 1 to \(Limits.partitions)."
            )
        }
        guard count != partitions.count else { return }
        for place in connectedPlaces {
            endLeases(at: place, because: "the partitions were changed", moment, &floor, &effects)
        }
        setPartitions(count)
        self.partitions = PartitionTable(count: count, epoch: partitions.lastEpoch)
        sharePartitions(effects: &effects)
        effects.hasNews = true
    }
}
