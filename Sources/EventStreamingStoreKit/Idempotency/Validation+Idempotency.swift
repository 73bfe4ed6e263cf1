package import EventStreamingCore

extension Validation {
    /// Checks what somebody wants to lock.
    package static func check(_ keys: [IdempotencyKey], for duration: Duration) throws(EventStreamingError) {
        guard duration > .zero, duration <= Limits.longestTimeout else {
            throw EventStreamingError(
                .invalidArgument,
                "A lock for \(duration) is not possible; use more than zero and at most \(Limits.longestTimeout)."
            )
        }
        for key in keys {
            let length = key.name.utf8.count
            guard (1...IdempotencyKey.maximumNameLength).contains(length), !key.name.utf8.contains(0) else {
                throw EventStreamingError(
                    .invalidArgument,
                    "\(EventStreamingError.printable(key.name)) cannot be locked; use a name of 1 to "
                        + "\(IdempotencyKey.maximumNameLength) bytes without U+0000."
                )
            }
            guard !key.offsets.isEmpty else {
                throw EventStreamingError(
                    .invalidArgument,
                    "The lock \(EventStreamingError.printable(key.name)) is for no offsets at all; name at least one."
                )
            }
        }
        guard keys.count > 1 else { return }
        try checkOverlaps(keys)
    }

    private static func checkOverlaps(_ keys: [IdempotencyKey]) throws(EventStreamingError) {
        let sorted = keys.sorted { left, right in
            left.name == right.name ? left.offsets.lowerBound < right.offsets.lowerBound : left.name < right.name
        }
        for (key, next) in zip(sorted, sorted.dropFirst())
        where key.name == next.name && key.offsets.upperBound > next.offsets.lowerBound {
            throw EventStreamingError(
                .invalidArgument,
                "The lock \(EventStreamingError.printable(key.name)) is asked for twice in one call; nobody can hold it "
                    + "twice."
            )
        }
    }

    /// Checks the semantics that only a store with transactions has.
    package static func checkIsNotTransactional(_ definition: SubscriptionDefinition) throws(EventStreamingError) {
        guard definition.semantics == .exactlyOnce else { return }
        throw EventStreamingError(
            .unsupported,
            "Subscription '\(definition.id)': exactlyOnce commits what the handler writes together with the mark, and this "
                + "store has no transactions. Use a store that has them, or .exactlyOnce(.lockAndMark), with which a crash "
                + "between an effect and the mark repeats the effect."
        )
    }
}
