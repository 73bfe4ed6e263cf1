import EventStreaming
import Testing

@Suite("Many workflows at once", .timeLimit(.minutes(5)))
struct WorkflowConcurrencyTests {
    @Test func eventsOfEveryCommandStayNextToEachOther() async throws {
        let streaming = try Workbench.service { $0.commands.add(PlaceOrdersHandler()) }
        let (commands, events) = (100, 5)
        try await withThrowingTaskGroup(of: WorkflowSight.self) { group in
            for command in 0..<commands {
                group.addTask {
                    await Task.yield()
                    let numbers = (0..<events).map { command * events + $0 }
                    return try await streaming.commands.send(PlaceOrders(numbers: numbers))
                }
            }
            var seen: Set<WorkflowID> = []
            for try await sight in group {
                seen.insert(sight.id)
            }
            #expect(seen.count == commands)
        }

        let stored = try await streaming.read(Workbench.orders, limit: 10_000)
        let numbers = Workbench.values(OrderPlaced.self, in: stored).compactMap { $0?.number }
        #expect(stored.map(\.offset.rawValue) == (0..<Int64(commands * events)).map { $0 })
        #expect(numbers.sorted() == Array(0..<commands * events))
        for start in stride(from: 0, to: stored.count, by: events) {
            let (group, first) = (stored[start..<start + events], numbers[start])
            #expect(Set(group.map(\.correlationID)).count == 1)
            #expect(Set(group.map(\.causationID)).count == 1)
            #expect(Array(numbers[start..<start + events]) == Array(first..<first + events))
        }
        #expect(Set(stored.map(\.id)).count == stored.count)
        #expect(Set(stored.map(\.correlationID)).count == commands)
    }

    @Test func commandsOfOneWorkflowMayRunAtOnce() async throws {
        let streaming = try Workbench.service { $0.commands.add(PlaceOrdersHandler()) }
        let id = try WorkflowID("one for all")
        try await withThrowingTaskGroup(of: WorkflowSight.self) { group in
            for command in 0..<100 {
                group.addTask {
                    try await streaming.commands.send(PlaceOrders(workflowID: id, numbers: [command, -command]))
                }
            }
            for try await sight in group {
                #expect(sight.id == id && !sight.isNew)
            }
        }
        let stored = try await streaming.read(Workbench.orders, limit: 10_000)
        #expect(stored.count == 200)
        #expect(Set(stored.map(\.correlationID)) == [id])
        let numbers = Workbench.values(OrderPlaced.self, in: stored).compactMap { $0?.number }
        for start in stride(from: 0, to: numbers.count, by: 2) {
            #expect(numbers[start] == -numbers[start + 1])
        }
    }
}
