package import EventStreamingCore

/// What an operation of a subscription means for the receipts of one user. The store applies it in the same change.
package struct ReceiptChange: Sendable, Equatable {
    package enum Action: Sendable, Equatable {
        /// The offsets were delivered, and some of them read at once.
        case deliver(OffsetRanges, read: OffsetRanges)
        /// The offsets that are in one state go into another.
        case move(OffsetRanges, from: ReadReceipt.Status, to: ReadReceipt.Status)
        /// Events that were not read in time go into another state. A store that decided this before it kept others from
        /// changing the receipt asks ``ReceiptRuns/allows(_:)`` first.
        case overdue(ReceiptRun, ReadReceipt.Status)
        /// The user is gone, and all receipts with it.
        case forget
    }

    package let consumer: ConsumerID
    package let action: Action

    init(_ consumer: ConsumerID, _ action: Action) {
        self.consumer = consumer
        self.action = action
    }

    /// The offsets that the change is about; `nil` when it is about all.
    package var offsets: OffsetRanges? {
        switch action {
        case .deliver(let offsets, _), .move(let offsets, _, _): offsets
        case .overdue(let run, _): OffsetRanges(run.offsets)
        case .forget: nil
        }
    }
}

extension ReceiptRuns {
    /// Applies a change to the receipts of its user, or to those runs of them that overlap or touch its offsets.
    package mutating func apply(_ action: ReceiptChange.Action, at time: Timestamp, keepingFrom first: Int64) {
        switch action {
        case .deliver(let offsets, let read):
            markDelivered(offsets, at: time, keepingFrom: first)
            self.read(read, at: time, keepingFrom: first)
        case .move(let offsets, let old, let new):
            move(offsets, from: old, to: new, keepingFrom: first)
        case .overdue(let run, let status):
            move(OffsetRanges(run.offsets), from: .delivered, to: status, keepingFrom: first)
        case .forget:
            self = ReceiptRuns()
        }
    }

    /// Whether what a change was decided on still holds.
    package func allows(_ action: ReceiptChange.Action) -> Bool {
        guard case .overdue(let overdue, _) = action else { return true }
        var next = overdue.offsets.lowerBound
        for run in runs[overlapping(overdue.offsets)] {
            guard run.offsets.lowerBound <= next, run.with(overdue.offsets) == overdue else { return false }
            next = run.offsets.upperBound
        }
        return overdue.offsets.upperBound <= next
    }
}
