import EventStreaming

/// Looks, while services run, whether their subscriptions go on.
struct ProgressWatch {
    private static let longest = Duration.seconds(60)

    let storage: EventStreamingStorage

    /// Looks again and again until `isOver`.
    ///
    /// - Throws: ``CrashFailure`` when a subscription that has something to do stays where it is.
    func run(_ moment: String, until isOver: Flag) async throws {
        let store = try storage.makeStore(in: EventStreamingStorage.Environment(clock: SystemClock()))
        let clock = ContinuousClock()
        var last: [SubscriptionID: (position: StreamOffset, since: ContinuousClock.Instant)] = [:]
        while !isOver.isSet {
            for name in ExactlyOnceService.subscriptions {
                let id = try SubscriptionID(name)
                guard let progress = await progress(of: id, in: store) else { continue }
                let known = last[id]
                if let known, known.position == progress.position, progress.position < progress.head {
                    guard clock.now - known.since < Self.longest else {
                        throw CrashFailure("\(moment): \(name) has been at \(progress) for \(Self.longest)")
                    }
                } else {
                    last[id] = (progress.position, clock.now)
                }
            }
            try await clock.sleep(for: .milliseconds(200))
        }
    }

    /// Where the subscription is; `nil` when the store cannot say, because it is away or there is no such thing yet.
    private func progress(of id: SubscriptionID, in store: any EventStreamingStore) async -> SubscriptionProgress? {
        try? await store.progress(of: id).first
    }
}
