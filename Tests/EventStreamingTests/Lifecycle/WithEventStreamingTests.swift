import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("withEventStreaming", .timeLimit(.minutes(5)))
struct WithEventStreamingTests {
    @Test("returns what the body returns, after the service has shut down")
    func returns() async throws {
        let streaming = try makeOrders()
        let result = try await withEventStreaming(streaming) { streaming in
            try await streaming.place([1])
            return 42
        }
        #expect(result == 42)
        #expect(streaming.hasStopped)
    }

    @Test("throws what the body throws, after the service has shut down")
    func throwsBodyError() async throws {
        let streaming = try makeOrders()
        await #expect(throws: Failure()) {
            try await withEventStreaming(streaming) { _ in throw Failure() }
        }
        #expect(streaming.hasStopped)
    }

    @Test("throws what run throws, and cancels the body")
    func throwsRunError() async throws {
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore())
        store.fail(.createStream, with: EventStreamingError(.streamConflict, "It is another one."))
        let streaming = try makeOrders(storage: .shared(store))
        let isCancelled = Journal<Bool>()
        let code = await errorCode {
            try await withEventStreaming(streaming) { _ in
                _ = await errorCode { try await Latch().wait() }
                isCancelled.add(Task.isCancelled)
            }
        }
        #expect(code == .streamConflict)
        #expect(isCancelled.entries == [true])
    }

    @Test("a second time it throws shutDown")
    func twice() async throws {
        let streaming = try makeOrders()
        try await withEventStreaming(streaming) { _ in }
        #expect(await errorCode { try await withEventStreaming(streaming) { _ in } } == .shutDown)
    }

    @Test("cancelled from outside, body and service are cancelled")
    func cancelled() async throws {
        let (streaming, began) = (try makeOrders(), Latch())
        let result = await withTaskGroup(of: Result<Void, any Error>.self) { group in
            group.addTask {
                do {
                    return .success(
                        try await withEventStreaming(streaming) { _ in
                            began.open()
                            try await Latch().wait()
                        }
                    )
                } catch {
                    return .failure(error)
                }
            }
            _ = await errorCode { try await inTime { try await began.wait() } }
            group.cancelAll()
            return await group.next()
        }
        #expect(throws: CancellationError.self) { try result?.get() }
        #expect(streaming.hasStopped)
    }

    @Test("loops left running in other tasks end with the service")
    func loopsEnd() async throws {
        let (streaming, ended) = (try makeOrders(), Latch())
        try await withThrowingTaskGroup(of: Void.self) { group in
            let isWaiting = Latch()
            group.addTask {
                try await isWaiting.wait()
                for try await _ in try streaming.subscribe(to: "mail", as: "a") {}
                ended.open()
            }
            try await withEventStreaming(streaming) { streaming in
                isWaiting.open()
                try await streaming.wait { try await !$0.consumers(of: "mail").isEmpty }
            }
            try await inTime { try await ended.wait() }
            try await group.waitForAll()
        }
    }
}
