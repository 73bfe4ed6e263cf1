import EventStreaming

/// Streams in a durable store, and what is done with them, without an engine.
struct DurableStream: Sendable {
    let store: any EventStreamingStore
    let names: [StreamName]
    private let ids = MessageIDGenerator(clock: SystemClock())
    private let type = EventType(StoredPacket.self)
    private let context: EventContext

    /// Opens the storage, and creates streams in it.
    init(_ storage: EventStreamingStorage, count: Int = 1) async throws {
        store = try storage.makeStore(in: .init(clock: SystemClock()))
        context = EventContext(correlationID: try WorkflowID("01890a5d-ac96-774b-bcce-b302099a8057"))
        names = try (1...count).map { try Self.name($0) }
        for name in names {
            try await store.createStream(StreamDefinition(name: name, type: .persistent))
        }
    }

    /// The name of a stream, the first being 1.
    static func name(_ number: Int) throws -> StreamName {
        try StreamName(number == 1 ? "events" : "events-\(number)")
    }

    // MARK: - Appending

    /// One task that appends batches, each when the one before is on disk.
    func appendBatches(_ batches: Int, of size: Int, from first: Int = 0) async throws -> Double {
        let watch = Stopwatch()
        for batch in 0..<batches {
            let begin = first + batch * size
            let result = try await store.append(StreamAppend(stream: names[0], events: events(begin..<begin + size)))
            guard result.offsets.lowerBound.rawValue == Int64(begin) else {
                throw Problem("A batch went to \(result.offsets) instead of \(begin).")
            }
        }
        return watch.rate(of: batches * size)
    }

    /// So many tasks that append single events, each when the one before is on disk; to all streams in turns.
    func append(tasks: Int, each count: Int) async throws -> Double {
        let watch = Stopwatch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                let name = names[task % names.count]
                group.addTask {
                    for number in 0..<count {
                        _ = try await store.append(StreamAppend(stream: name, events: events(number..<number + 1)))
                    }
                }
            }
            for try await _ in group {}
        }
        let rate = watch.rate(of: tasks * count)
        for (index, name) in names.enumerated() {
            let wanted = (tasks + names.count - 1 - index) / names.count * count
            let length = try await store.metadata(of: name).length
            guard length == wanted else { throw Problem("Stream \(name) has \(length) events instead of \(wanted).") }
        }
        return rate
    }

    /// Appends so many events as fast as it can be done.
    func fill(_ count: Int) async throws {
        let size = 2000
        _ = try await appendBatches(count / size, of: size)
        if !count.isMultiple(of: size) {
            _ = try await appendBatches(1, of: count % size, from: count / size * size)
        }
    }

    private func events(_ numbers: Range<Int>) -> [NewEvent] {
        var events: [NewEvent] = []
        events.reserveCapacity(numbers.count)
        for number in numbers {
            events.append(
                NewEvent(
                    id: ids.next(),
                    type: type,
                    payload: .encoded(StoredPacket(Label(number: number)).bytes),
                    size: StoredPacket.length,
                    context: context
                )
            )
        }
        return events
    }

    // MARK: - Reading

    /// Reads all events in pages.
    ///
    /// - Parameter progress: Told after each page how many events were read.
    func replay(_ count: Int, inPagesOf size: Int, progress: (Int) -> Void = { _ in }) async throws -> Double {
        let watch = Stopwatch()
        var arrivals = Arrivals(of: count)
        while !arrivals.areComplete {
            let page = try await store.read(
                names[0],
                from: StreamOffset(Int64(arrivals.count)),
                direction: .forward,
                limit: size
            )
            guard !page.isEmpty else { break }
            for event in page {
                guard case .encoded(let bytes) = event.payload else { throw Problem("A payload is no bytes.") }
                try arrivals.add(StoredPacket.number(in: bytes).map { Label(number: $0) })
            }
            progress(arrivals.count)
        }
        try arrivals.finish()
        return watch.rate(of: count)
    }
}
