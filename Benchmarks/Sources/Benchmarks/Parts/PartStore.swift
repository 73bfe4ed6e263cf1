import EventStreaming

extension Benchmark {
    static let partStoreAppend = Benchmark(
        "part-store-append",
        "an append of 128 events to the bare store, for each event, against an append to an array"
    ) { rounds in
        try await rounds.compare(unit: "ns") {
            try await BareStore().append()
        } with: {
            let appends = try BareStore.appends()
            let watch = Stopwatch()
            var events: [NewEvent] = []
            for append in appends {
                events += append.events
            }
            keep(events)
            return watch.nanoseconds(per: BareStore.count)
        }.addingAllocations(per: BareStore.count) {
            _ = try await BareStore().append()
        }
    }

    static let partStoreLease = Benchmark(
        "part-store-lease",
        "a lease of 128 events of the bare store and its settlement, for each event, against reading pages of 128"
    ) { rounds in
        try await rounds.compare(unit: "ns") {
            let store = try await BareStore()
            _ = try await store.append()
            return try await store.consume()
        } with: {
            let store = try await BareStore()
            _ = try await store.append()
            return try await store.read()
        }
    }
}

/// A store without an engine.
private struct BareStore {
    static let count = Sizes.round

    private let store: any EventStreamingStore
    private let consumer: ConsumerRegistration

    private static var stream: StreamName {
        get throws { try StreamName("events") }
    }

    init() async throws {
        store = try EventStreamingStorage.inMemory.makeStore(in: .init(clock: SystemClock()))
        let subscription = try SubscriptionID("benchmark")
        try await store.createStream(
            StreamDefinition(name: try Self.stream, type: .ephemeral, capacity: 1_000_000, overflow: .reject)
        )
        try await store.createSubscription(
            SubscriptionDefinition(id: subscription, stream: try Self.stream, mode: .exclusive)
        )
        consumer = try await store.registerConsumer(
            try ConsumerID("consumer"),
            of: subscription,
            kind: .temporary,
            start: nil
        )
    }

    /// All appends of a round, made before anything is measured.
    static func appends() throws -> [StreamAppend] {
        let ids = MessageIDGenerator(clock: SystemClock())
        let type = EventType(PacketReceived.self)
        let stream = try stream
        return stride(from: 0, to: count, by: Sizes.batch).map { begin in
            let events = (begin..<begin + Sizes.batch).map { number in
                NewEvent(
                    id: ids.next(),
                    type: type,
                    payload: .value(PacketReceived(Label(number: number))),
                    size: PacketReceived.length
                )
            }
            return StreamAppend(stream: stream, events: events)
        }
    }

    func append() async throws -> Double {
        let appends = try Self.appends()
        let watch = Stopwatch()
        for append in appends {
            _ = try await store.append(append)
        }
        return watch.nanoseconds(per: Self.count)
    }

    func consume() async throws -> Double {
        let watch = Stopwatch()
        var taken = 0
        while case .lease(let lease) = try await store.dequeue(as: consumer, limit: Sizes.batch) {
            taken += lease.events.count
            try await store.acknowledge(lease)
        }
        guard taken == Self.count else { throw Problem("\(taken) events came instead of \(Self.count).") }
        return watch.nanoseconds(per: Self.count)
    }

    func read() async throws -> Double {
        let stream = try Self.stream
        let watch = Stopwatch()
        var offset = StreamOffset.zero
        while true {
            let page = try await store.read(stream, from: offset, direction: .forward, limit: Sizes.batch)
            guard let last = page.last else { break }
            offset = last.offset.advanced(by: 1)
        }
        return watch.nanoseconds(per: Self.count)
    }
}
