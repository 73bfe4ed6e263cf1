import AllocationCounter

/// How often memory is asked for.
enum Allocations {
    /// The allocations of `body`, in all threads; `nil` where they cannot be counted.
    static func count(_ body: () async throws -> Void) async rethrows -> Int? {
        guard allocation_counter_is_available() else {
            try await body()
            return nil
        }
        allocation_counter_start()
        defer { allocation_counter_stop() }
        try await body()
        return Int(allocation_counter_stop())
    }
}

extension Measurement {
    /// With the allocations that one of `count` passes makes on average, where they can be counted.
    func addingAllocations(per count: Int, _ body: () async throws -> Void) async rethrows -> Measurement {
        guard let allocations = try await Allocations.count(body) else { return self }
        var measurement = self
        measurement.extras.append(("allocations", Double(allocations) / Double(count)))
        return measurement
    }
}
