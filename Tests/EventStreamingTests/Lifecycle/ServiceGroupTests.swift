import EventStreaming
import EventStreamingTesting
import Logging
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@Suite("In a service group", .timeLimit(.minutes(5)))
struct ServiceGroupTests {
    @Test("a graceful shutdown of the group drains the service")
    func trigger() async throws {
        let (started, finished, latch) = (Journal<Int>(), Journal<Int>(), Latch())
        let streaming = try makeOrders(
            mail: { subscription in
                subscription.handle { delivery in
                    started.add(delivery.number)
                    try await latch.wait()
                    finished.add(delivery.number)
                }
            }
        )
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await streaming.run() }
                try await streaming.place(1...5)
                try await started.wait(for: 1)
                trigger.triggerGracefulShutdown()
                #expect(await errorCode { try await streaming.place([9]) } == .shuttingDown)
                latch.open()
                try await group.waitForAll()
            }
        }
        #expect(streaming.hasStopped)
        #expect(started.entries == [1])
        #expect(finished.entries == [1])
    }

    private struct Publisher: Service {
        let streaming: EventStreaming

        func run() async throws {
            try await streaming.place(1...3)
            try await gracefulShutdown()
        }
    }

    @Test("services that use it are shut down before it")
    func serviceGroup() async throws {
        let handled = Journal<Int>()
        let streaming = try makeOrders(mail: { $0.handle { handled.add($0.number) } })
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let services = ServiceGroup(services: [streaming, Publisher(streaming: streaming)], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            #expect(try await handled.wait(for: 3) == [1, 2, 3])
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
        #expect(streaming.hasStopped)
    }
}
