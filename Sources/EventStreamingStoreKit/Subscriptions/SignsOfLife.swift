import EventStreamingCore

/// Until when the registrations and leases of a subscription last.
///
/// For stores that keep heartbeats in memory: when they have to go back to what is written down, nobody shall expire who
/// has shown life.
package struct SignsOfLife: Sendable {
    /// By the epochs of the registrations.
    private var registrations: [UInt64: (seenAt: Timestamp, expiry: Duration)] = [:]
    /// By the epochs of the leases.
    private var leases: [UInt64: Duration] = [:]

    init(_ state: SubscriptionState) {
        note(state.shared)
        for place in state.consumers.indices {
            let membership = state.consumers[place].membership
            if membership.isConnected {
                registrations[membership.epoch] = (membership.lastSeenAt, membership.expiresAt)
            }
            note(state.consumers[place].cursor)
        }
    }

    private mutating func note(_ cursor: Cursor) {
        for key in cursor.deliveries.keys {
            leases[key] = cursor.expiry(of: key)
        }
    }

    /// Lets what is written down last as long as what was in memory.
    package func extend(_ records: inout SubscriptionRecords) {
        for index in records.consumers.indices {
            guard let known = registrations[records.consumers[index].epoch] else { continue }
            records.consumers[index].lastSeenAt = max(records.consumers[index].lastSeenAt, known.seenAt)
            records.consumers[index].expiresAt = max(records.consumers[index].expiresAt, known.expiry)
        }
        for index in records.deliveries.indices {
            let record = records.deliveries[index]
            guard case .leased(let holder, let expiry) = record.delivery.phase, let known = leases[record.key] else {
                continue
            }
            records.deliveries[index].delivery.phase = .leased(holder: holder, expiry: max(expiry, known))
        }
    }
}

extension SubscriptionState {
    /// Until when registrations and leases last. Costs a look at each.
    package var signsOfLife: SignsOfLife { SignsOfLife(self) }
}
