import EventStreaming
import EventStreamingTesting
import Testing

@Suite("DeliveryRecorder", .timeLimit(.minutes(5)))
struct DeliveryRecorderTests {
    private func withService(
        _ recorder: DeliveryRecorder,
        _ body: @escaping @Sendable (EventStreaming) async throws -> Void
    ) async throws {
        try await withTestEventStreaming { streaming in
            streaming.addStream(InvitationWorkflow.self)
            streaming.follow("mail", .exclusive, recorder)
        } _: { streaming, _ in
            try await body(streaming)
        }
    }

    @Test("records events in order, by type")
    func records() async throws {
        let recorder = DeliveryRecorder()
        try await withService(recorder) { streaming in
            try await streaming.emitter.emit(UserInvited(email: "ada"))
            try await streaming.emitter.emit(UserReminded(day: 7))
            let deliveries = try await recorder.waitFor(count: 2)
            #expect(deliveries.map(\.record.offset) == [StreamOffset(0), StreamOffset(1)])
            #expect(recorder.events(of: UserInvited.self) == [UserInvited(email: "ada")])
            #expect(recorder.events(of: UserReminded.self) == [UserReminded(day: 7)])
        }
    }

    @Test("several waits end, each at its own count")
    func severalWaits() async throws {
        let recorder = DeliveryRecorder()
        try await withService(recorder) { streaming in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for count in 1...5 {
                    group.addTask {
                        try await recorder.waitFor(count: count).count >= count ? count : 0
                    }
                }
                for _ in 0..<5 {
                    try await streaming.emitter.emit(UserInvited(email: "ada"))
                }
                #expect(try await group.reduce(0, +) == 15)
            }
        }
    }

    @Test("says what came when too few came in time")
    func timeout() async throws {
        let recorder = DeliveryRecorder()
        try await withService(recorder) { streaming in
            try await streaming.emitter.emit(UserInvited(email: "ada"))
            try await recorder.waitFor(count: 1)
            let text = await message(of: DeliveryTimeoutError.self) {
                try await recorder.waitFor(count: 2, within: .milliseconds(20))
            }
            #expect(text?.hasPrefix("EventStreamingTestingTests/DeliveryRecorderTests.swift:") == true)
            #expect(text?.contains("1 of 2 deliveries came within 0.02 seconds.") == true)
            #expect(text?.contains(#"1. mail, attempt 1: UserInvited(email: "ada")"#) == true)
        }
    }

    @Test("ends when its task is cancelled")
    func cancellation() async {
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await DeliveryRecorder().waitFor(count: 1, within: .seconds(50)) }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }
}
