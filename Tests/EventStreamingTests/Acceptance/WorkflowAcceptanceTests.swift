import EventStreaming
import EventStreamingTesting
import Testing

@Suite("Workflows start, continue, commit together or not at all", .timeLimit(.minutes(5)))
struct WorkflowAcceptanceTests {
    struct Report: Command {
        typealias Response = [String]
        var workflowID: WorkflowID?
        var numbers: [Int]
        var fails = false
    }

    struct ContinuedReport: WorkflowCommand {
        typealias Response = [String]
        var workflowID: WorkflowID?
        var numbers: [Int]
    }

    private func makeService(
        _ more: (inout EventStreamingBuilder) -> Void = { _ in }
    ) throws -> EventStreaming {
        try EventStreaming { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.commands.on(Report.self, in: OrderWorkflow.self) { command, workflow in
                for number in command.numbers {
                    workflow.emit(OrderPlaced(number: number))
                }
                if command.fails { throw Failure() }
                return [workflow.id.rawValue, "\(workflow.isNew)", "\(workflow.pendingEvents.count)"]
            }
            streaming.commands.on(ContinuedReport.self, in: OrderWorkflow.self) { command, workflow in
                workflow.emit(contentsOf: command.numbers.map { OrderPlaced(number: $0) })
                return [workflow.id.rawValue, "\(workflow.isNew)", "\(workflow.pendingEvents.count)"]
            }
            more(&streaming)
        }
    }

    @Test func aCommandStartsAWorkflowAndAnotherContinuesIt() async throws {
        let streaming = try makeService()
        let started = try await streaming.commands.send(Report(numbers: [1, 2, 3]))
        #expect(started[1] == "true")
        #expect(started[2] == "3")
        let id = try WorkflowID(started[0])
        let continued = try await streaming.commands.send(ContinuedReport(workflowID: id, numbers: [4]))
        #expect(continued == [id.rawValue, "false", "1"])
        let fresh = try await streaming.commands.send(ContinuedReport(workflowID: nil, numbers: [5]))
        #expect(fresh[0] != id.rawValue)
        #expect(fresh[1] == "true")

        let events = try await streaming.read("order-events")
        #expect(events.map(\.offset.rawValue) == [0, 1, 2, 3, 4])
        #expect(events.prefix(4).allSatisfy { $0.correlationID == id })
        #expect(Set(events.prefix(3).map(\.causationID)).count == 1)
        #expect(events[3].causationID != events[0].causationID)
        #expect(events.allSatisfy { $0.causationID != nil })
    }

    @Test func aHandlerThatThrowsEmitsNothing() async throws {
        let streaming = try makeService()
        await #expect(throws: Failure()) {
            try await streaming.commands.send(Report(numbers: [1, 2], fails: true))
        }
        #expect(try await streaming.metadata(of: "order-events").head == .zero)
    }

    @Test func aCancelledHandlerEmitsNothing() async throws {
        struct Wait: Command {}
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let streaming = try makeService { streaming in
            streaming.commands.on(Wait.self, in: OrderWorkflow.self) { _, workflow in
                workflow.emit(OrderPlaced(number: 1))
                enter.yield()
                try? await SystemClock().sleep(until: .seconds(1_000_000))
            }
        }
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await streaming.commands.send(Wait()) }
            for await _ in entered { break }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.waitForAll() }
        }
        #expect(try await streaming.metadata(of: "order-events").head == .zero)
    }

    @Test func eventsOfOneCommandStayTogetherAmongManyCommands() async throws {
        let streaming = try makeService()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for command in 0..<100 {
                group.addTask {
                    _ = try await streaming.commands.send(Report(numbers: Array(command * 10..<command * 10 + 7)))
                }
            }
            try await group.waitForAll()
        }
        let events = try await streaming.read("order-events", limit: 10_000)
        #expect(events.count == 700)
        for begin in stride(from: 0, to: events.count, by: 7) {
            let together = events[begin..<begin + 7]
            #expect(Set(together.map(\.correlationID)).count == 1)
            let numbers = together.compactMap { record -> Int? in
                if case .value(let event) = record.payload { (event as? OrderPlaced)?.number } else { nil }
            }
            #expect(numbers == Array(numbers[0]..<numbers[0] + 7))
        }
    }

    @Test func anEventHandlersCommandIsCausedByTheEvent() async throws {
        let recorder = DeliveryRecorder()
        try await withTestEventStreaming { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.addStream(NoteWorkflow.self) { $0.type = .persistent }
            streaming.addSubscription("notes") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.handle(OrderPlaced.self) { event, delivery in
                    #expect(MessageContext.current?.correlationID == delivery.workflowID)
                    try await recorder.record(delivery)
                }
            }
            streaming.commands.add(PlaceOrderHandler())
        } _: { streaming, _ in
            #expect(MessageContext.current == nil)
            let id = try await streaming.commands.send(PlaceOrder(number: 1))
            try await recorder.waitFor(count: 1)
            #expect(recorder.deliveries[0].workflowID == id)
            #expect(recorder.deliveries[0].attempt == 1)
        }
    }
}
