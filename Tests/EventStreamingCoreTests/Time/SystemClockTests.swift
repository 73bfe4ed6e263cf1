import EventStreamingCore
import Testing

@Suite("SystemClock", .timeLimit(.minutes(5)))
struct SystemClockTests {
    let clock = SystemClock()

    @Test(
        "a deadline that has passed, however long ago, is reached at once",
        arguments: [Duration.zero, .seconds(-1), .seconds(Int64.min), Duration(attoseconds: .min)]
    )
    func pastDeadline(_ deadline: Duration) async throws {
        try await clock.sleep(until: deadline)
    }

    @Test(
        "a cancelled task does not wait, neither for the past nor for ever",
        arguments: [Duration.zero, .seconds(Int64.max), Duration(attoseconds: .max)]
    )
    func cancellation(_ deadline: Duration) async {
        let clock = clock
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                withUnsafeCurrentTask { $0?.cancel() }
                do {
                    try await clock.sleep(until: deadline)
                    return false
                } catch {
                    return error is CancellationError
                }
            }
            #expect(await group.next() == true)
        }
    }

    @Test("waits until the time has come, by the clock itself")
    func waiting() async throws {
        let deadline = clock.uptime + .milliseconds(5)
        try await clock.sleep(until: deadline)
        #expect(clock.uptime >= deadline)
    }

    @Test("uptime does not go back, and now is after the project began")
    func readings() {
        let uptimes = (0..<1000).map { _ in clock.uptime }
        #expect(uptimes == uptimes.sorted())
        #expect(clock.now.description > "2026-01-01")
    }
}
