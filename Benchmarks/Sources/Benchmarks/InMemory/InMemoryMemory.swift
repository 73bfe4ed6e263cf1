import AllocationCounter
import EventStreaming

extension Benchmark {
    static let inMemoryMemory = Benchmark(
        "inmemory-memory",
        "the heap that 1 000 000 queued events with a payload of 256 bytes take, for each event",
        target: Target("at most payload + 200 bytes") { ($0["overhead"] ?? .infinity) <= 200 }
    ) { _ in
        guard allocation_counter_is_available() else { throw Problem("The heap cannot be measured here.") }
        let count = 1_000_000
        let payload = Double(PacketReceived.length)
        let plain = heapGrowth { (0..<count).map { PacketReceived(Label(number: $0)) } } / Double(count)
        let (queued, resident) = try await Service.run { streaming in
            try await queue(count, in: streaming)
        }
        let value = Double(queued) / Double(count)
        return Measurement(
            value: value,
            unit: "bytes",
            baseline: payload,
            ratio: value / payload,
            ratios: (value / payload)...(value / payload),
            extras: [
                ("overhead", value - payload), ("array", plain), ("resident", Double(resident) / Double(count)),
            ]
        )
    }

    /// Queues events that nobody consumes yet, then consumes them all; returns the growth of the heap and of the
    /// resident memory in between.
    private static func queue(_ count: Int, in streaming: EventStreaming) async throws -> (heap: Int, resident: Int) {
        // The first event prepares what is there once.
        try await streaming.emitter.emit(PacketReceived(Label(number: 0)))
        try await streaming.withSubscription(to: Service.subscription) { subscription in
            try await subscription.consumeBatches(PacketReceived.self, Arrivals(of: 1))
        }
        heap_trim()
        let before = (heap: heap_bytes_in_use(), resident: resident_bytes())
        try await streaming.emitter.emit(PacketReceived.self, count: count, inBatchesOf: Sizes.batch)
        let after = (heap: heap_bytes_in_use(), resident: resident_bytes())
        try await streaming.withSubscription(to: Service.subscription) { subscription in
            try await subscription.consumeBatches(PacketReceived.self, Arrivals(of: count))
        }
        return (Int(after.heap) - Int(before.heap), Int(after.resident) - Int(before.resident))
    }

    /// The heap that what `make` returns takes.
    private static func heapGrowth<Value>(_ make: () -> Value) -> Double {
        let before = heap_bytes_in_use()
        let value = make()
        let after = heap_bytes_in_use()
        keep(value)
        return Double(after) - Double(before)
    }
}
