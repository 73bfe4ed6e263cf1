/// Keeps subscriptions and the consumers that come and go.
///
/// The rules for implementers are those of ``EventStreamStore``.
public protocol SubscriptionStore: Sendable {
    /// Creates the subscription and its dead-letter stream, or changes an existing one to this definition. A position
    /// that exists already stays where it is: neither a new filter nor a new start moves it.
    ///
    /// - Throws: `unknownStream`; `unknownEvent` when a new position would begin at an event that the stream does not keep;
    ///   `subscriptionConflict` when a subscription of that name follows another stream, has another mode, or, in mode
    ///   ``SubscriptionMode/consumerGroup``, another number of partitions;
    ///   `unsupported` for a mode the store does not have; `invalidArgument` for limits or durations outside what is
    ///   allowed.
    func createSubscription(_ definition: SubscriptionDefinition) async throws(EventStreamingError)

    /// Gives a durable consumer its position without connecting it, so that nothing is missed until it comes. Does
    /// nothing to a consumer that is known, connected or not.
    ///
    /// - Throws: `unknownSubscription`; `unknownEvent` as ``createSubscription(_:)``.
    func createConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        start: StartPosition?
    ) async throws(EventStreamingError)

    /// Registers a consumer and takes over from any other of the same name: its registration and leases end, and what
    /// it held is available at once.
    ///
    /// In mode ``SubscriptionMode/broadcast`` a consumer that is new gets a position of its own at `start`, or at the
    /// subscription's start when `nil`, fixed when this returns.
    ///
    /// - Throws: `unknownSubscription`; `unknownEvent` as ``createSubscription(_:)``.
    func registerConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID,
        kind: ConsumerKind,
        start: StartPosition?
    ) async throws(EventStreamingError) -> ConsumerRegistration

    /// Ends a registration. What the consumer held is available to others at once; unfinished events that were leased
    /// to it count as delivered once more only if they were not released before. A temporary consumer's position goes.
    ///
    /// - Throws: `consumerReplaced` or `unknownConsumer` when the registration has ended already.
    func unregisterConsumer(_ registration: ConsumerRegistration) async throws(EventStreamingError)

    /// Removes a consumer for good, with its position, whether connected or not. Nothing keeps events for it any more.
    ///
    /// - Returns: Whether there was one.
    /// - Throws: `unknownSubscription`.
    func removeConsumer(
        _ consumer: ConsumerID,
        of subscription: SubscriptionID
    ) async throws(EventStreamingError) -> Bool

    /// A sign of life: the consumer lives for another ``SubscriptionDefinition/consumerTimeout``, and those of its leases
    /// that are to be extended last for another ``SubscriptionDefinition/visibilityTimeout``.
    ///
    /// A consumer names the leases that it knows of. One that it never heard of, because the answer was lost, then ends
    /// by itself, and its events are delivered again.
    ///
    /// - Throws: `consumerReplaced`; `unknownConsumer` when the registration ended or expired.
    func heartbeat(_ registration: ConsumerRegistration, extending leases: LeaseExtension)
        async throws(EventStreamingError)

    /// Ends the registrations of consumers whose time ran out, and the leases that expired. Calls of the store see
    /// expired consumers and leases as ended anyhow; this makes it happen, and tells who.
    ///
    /// - Returns: The consumers that expired in this call.
    /// - Throws: `storeUnavailable`.
    func expireConsumers() async throws(EventStreamingError) -> [ConsumerRegistration]

    /// The consumers of a subscription, in order of their names; durable ones also when they are not connected.
    ///
    /// - Throws: `unknownSubscription`.
    func consumers(of subscription: SubscriptionID) async throws(EventStreamingError) -> [ConsumerInfo]

    /// The partitions of a consumer group, in order of their numbers; none in other modes.
    ///
    /// Every partition has one owner as long as there is a member. When a member comes or goes, as few partitions as
    /// possible change hands, and each member has as many as any other, or one less. The new owner of a partition gets
    /// its events only when those that the old one held are settled or their lease has ended.
    ///
    /// - Throws: `unknownSubscription`.
    func partitions(of subscription: SubscriptionID) async throws(EventStreamingError) -> [PartitionInfo]

    /// Shares out the events of a consumer group into another number of partitions: an administrator's act, as every
    /// service that has the group must be configured for the new number from then on.
    ///
    /// Every lease ends, as if the members had left without finishing, so that no two members have events of one key.
    /// Positions, registrations and what waits stay. Does nothing where the number is the same.
    ///
    /// - Throws: `unknownSubscription`; `unsupported` in other modes; `invalidArgument` for a number that is not 1 to
    ///   1024.
    func repartition(_ subscription: SubscriptionID, into count: Int) async throws(EventStreamingError)

    /// The positions of a subscription, in order of the consumers' names.
    ///
    /// - Throws: `unknownSubscription`.
    func progress(of subscription: SubscriptionID) async throws(EventStreamingError) -> [SubscriptionProgress]
}
