package import EventStreamingCore

/// What a change of a subscription means for others; the store sees to it in the same transaction, or right after it.
package struct SubscriptionEffects: Sendable {
    /// Whether consumers may find something that they did not find before.
    package internal(set) var hasNews = false
    /// Events for the dead-letter stream.
    package internal(set) var givenUp: [GivenUp] = []
    /// The registrations that ended because their time ran out.
    package internal(set) var expired: [ConsumerRegistration] = []

    /// What changes in the receipts of users, in this order. Only in mode ``SubscriptionMode/readReceipt``.
    package internal(set) var receipts: [ReceiptChange] = []

    package init() {}
}
