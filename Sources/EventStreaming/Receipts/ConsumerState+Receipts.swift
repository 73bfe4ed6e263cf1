import EventStreamingCore

extension ConsumerState {
    /// How events that were handed out become read.
    enum Reading: Sendable {
        /// The batch is settled, as read; what is at `rest` was settled before, and is marked.
        case settle(SettlingBatch, rest: [Int])
        /// All of them were settled before, and are marked.
        case mark([Int])
        /// The store is being told that some are settled, and they can be marked after that.
        case wait
        /// The consumer was closed; what it held is given back before they can be marked.
        case closed
    }

    /// Notes that a settlement of a lease was made.
    mutating func beginTelling(_ lease: UInt64) {
        unanswered?[lease, default: 0] += 1
    }

    /// Notes that the store has answered to a settlement, or that nobody will tell it any more.
    mutating func endTelling(_ lease: UInt64) {
        guard let count = unanswered?[lease] else { return }
        unanswered?[lease] = count > 1 ? count - 1 : nil
    }

    /// What is finished and the store does not know yet, to tell it now.
    mutating func takeUntold() -> [Settlement] {
        guard isOpen, let registration else { return [] }
        var settlements = takeUnrecorded()
        for position in ledgers.indices {
            let completed = ledgers[position].takeUnreported()
            guard !completed.isEmpty else { continue }
            settlements.append(settlement(of: registration, ledgers[position].lease, completed: completed))
        }
        return settlements
    }

    /// Whether the store has yet to answer to settlements of these leases.
    func awaitsAnswers(of leases: Set<UInt64>) -> Bool {
        unanswered?.keys.contains(where: leases.contains) ?? false
    }

    /// Begins to mark events of one lease as read. Of several, those that were settled by themselves are left alone.
    mutating func beginReading(_ handout: Handout) throws(EventStreamingError) -> Reading {
        let (lease, indices) = (handout.source.lease.epoch, handout.indices)
        switch phase {
        case .failed: return .mark(Array(indices))
        case .closed: return .closed
        case .open, .ending: break
        }
        let hasAnswers = unanswered?[lease] == nil
        guard let registration, let position = position(of: lease) else {
            return hasAnswers ? .mark(Array(indices)) : .wait
        }
        if indices.count == 1, ledgers[position].isTakenBack(indices.lowerBound) { throw Self.notHeld }
        if indices.contains(where: { ledgers[position].isBeingSettled($0) }) { return .wait }
        let untold = indices.filter { !ledgers[position].isReported($0) }
        let rest = indices.filter { index in
            ledgers[position].isReported(index) && (indices.count == 1 || !ledgers[position].isReportedAlone(index))
        }
        guard rest.isEmpty || hasAnswers else { return .wait }
        guard !untold.isEmpty else { return .mark(rest) }
        for index in untold {
            ledgers[position].beginReportingAlone(index)
        }
        beginReport()
        beginTelling(lease)
        return .settle(SettlingBatch(source: handout.source, indices: untold, registration: registration), rest: rest)
    }
}

extension SettlingBatch {
    /// What tells the store that all of them are finished and read.
    var reading: Settlement {
        var settlement = settlement
        settlement.read = ranges
        return settlement
    }
}
