import EventStreaming
import Testing

@Suite("The identity of workflows", .timeLimit(.minutes(5)))
struct WorkflowIdentityTests {
    private let streaming: EventStreaming

    init() throws {
        streaming = try Workbench.service { $0.commands.add(PlaceOrdersHandler()) }
    }

    @Test func aCommandWithoutWorkflowStartsANewOne() async throws {
        let first = try await streaming.commands.send(PlaceOrders(numbers: [1]))
        let second = try await streaming.commands.send(PlaceOrders(numbers: [2]))
        #expect(first.isNew && second.isNew)
        #expect(first.id != second.id)
        #expect(first.causationID != second.causationID)
    }

    @Test func aCommandWithAWorkflowContinuesIt() async throws {
        let first = try await streaming.commands.send(PlaceOrders(numbers: [1]))
        let second = try await streaming.commands.send(PlaceOrders(workflowID: first.id, numbers: [2]))
        #expect(second.id == first.id)
        #expect(!second.isNew)
        #expect(second.causationID != first.causationID)
        let events = try await streaming.read(Workbench.orders)
        #expect(events.map(\.correlationID) == [first.id, first.id])
    }

    @Test(arguments: ["order-4711", "Bestellung Nr. 7 für Grüße", "📦", "..", String(repeating: "x", count: 200)])
    func anIDOfTheBusinessIsUsedAsItIs(_ text: String) async throws {
        let id = try WorkflowID(text)
        let seen = try await streaming.commands.send(PlaceOrders(workflowID: id, numbers: [1]))
        #expect(seen.id == id)
        #expect(!seen.isNew, "The command said which workflow it continues.")
        #expect(try await streaming.read(Workbench.orders).first?.correlationID?.rawValue == text)
    }

    @Test func aCommandThatIsNoWorkflowCommandAlwaysStartsANewWorkflow() async throws {
        let ids = [
            try await streaming.commands.send(PlaceOrder(number: 1)),
            try await streaming.commands.send(PlaceOrder(number: 1)),
        ]
        #expect(Set(ids).count == 2)
    }

    @Test func aNewWorkflowIsNamedAfterTheCommand() async throws {
        let seen = try await streaming.commands.send(PlaceOrders(numbers: [1]))
        #expect(seen.id == WorkflowID(seen.causationID))
    }

    @Test func workflowsOfOneProcessShareAStreamAndKeepTheirIDs() async throws {
        let first = try await streaming.commands.send(PlaceOrders(numbers: [1, 2]))
        let second = try await streaming.commands.send(PlaceOrders(numbers: [3]))
        _ = try await streaming.commands.send(PlaceOrders(workflowID: first.id, numbers: [4]))
        let events = try await streaming.read(Workbench.orders)
        #expect(events.map(\.correlationID) == [first.id, first.id, second.id, first.id])
        #expect(Workbench.values(OrderPlaced.self, in: events).map { $0?.number } == [1, 2, 3, 4])
    }
}
