import EventStreaming
import Testing

private struct Register: Command, Validatable {
    typealias Response = WorkflowID
    var name: String
    var age: Int

    func validate(_ violations: inout Violations) {
        violations.notEmpty(name, field: "name")
        violations.range(age, in: 0...150, field: "age")
    }
}

private struct FindOrders: Query, Validatable {
    typealias Response = [Int]
    var limit: Int

    func validate(_ violations: inout Violations) {
        violations.range(limit, in: 1...10, field: "limit")
    }
}

private struct FindOrdersHandler: QueryHandler {
    func handle(_ query: FindOrders) async throws -> [Int] { Array(1...query.limit) }
}

private struct Unhandled: Command {}

private struct Unanswered: Query {
    typealias Response = Int
}

@Suite("Commands and queries of a service", .timeLimit(.minutes(5)))
struct MessageTests {
    private let streaming: EventStreaming

    init() throws {
        streaming = try Workbench.service { streaming in
            streaming.commands.on(Register.self, in: OrderWorkflow.self) { _, workflow in
                workflow.emit(OrderPlaced(number: 0))
                return workflow.id
            }
            streaming.commands.validate(Register.self) { command, violations in
                violations.check(command.name != "root", field: "name", rule: "reserved", message: "is reserved")
                violations.check(command.age != 13, field: "age", rule: "lucky", message: "must not be 13")
            }
            streaming.queries.add(FindOrdersHandler())
            streaming.queries.validate(FindOrders.self) { query, violations in
                violations.check(query.limit > 0, field: "limit", rule: "positive", message: "must be positive")
            }
            streaming.queries.on(FindWord.self) { $0.text.isEmpty ? nil : $0.text }
        }
    }

    @Test func aQueryGetsItsTypedAnswer() async throws {
        #expect(try await streaming.queries.ask(FindOrders(limit: 3)) == [1, 2, 3])
        #expect(try await streaming.queries.ask(FindWord(text: "")) == nil)
        #expect(try await streaming.queries.ask(FindWord(text: "x")) == "x")
    }

    @Test func everyViolatedRuleOfACommandIsListedAndNothingHappens() async throws {
        let error = await #expect(throws: ValidationError.self) {
            _ = try await streaming.commands.send(Register(name: "", age: 200))
        }
        #expect(error?.messageName == "Register")
        #expect(error?.violations.map(\.rule) == ["notEmpty", "range"])
        let other = await #expect(throws: ValidationError.self) {
            _ = try await streaming.commands.send(Register(name: "root", age: 13))
        }
        #expect(other?.violations.map(\.field) == ["name", "age"])
        #expect(other?.violations.map(\.rule) == ["reserved", "lucky"])
        #expect(try await streaming.metadata(of: Workbench.orders).head == .zero)
        _ = try await streaming.commands.send(Register(name: "Ada", age: 36))
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(1))
    }

    @Test func everyViolatedRuleOfAQueryIsListed() async throws {
        let error = await #expect(throws: ValidationError.self) {
            _ = try await streaming.queries.ask(FindOrders(limit: -1))
        }
        #expect(error?.violations.map(\.rule) == ["range", "positive"])
        #expect(try await streaming.queries.ask(FindOrders(limit: 1)) == [1])
    }

    @Test func messagesWithoutAHandlerAreToldApart() async throws {
        let command = await #expect(throws: CQRSError.self) { try await streaming.commands.send(Unhandled()) }
        #expect(command?.code == .noHandler && command?.message.contains("Unhandled") == true)
        let query = await #expect(throws: CQRSError.self) { _ = try await streaming.queries.ask(Unanswered()) }
        #expect(query?.code == .noHandler && query?.message.contains("Unanswered") == true)
        #expect(!streaming.commands.handles(Unhandled.self) && streaming.commands.handles(Register.self))
        try await Workbench.expectWorking(streaming)
    }

    @Test func errorsOfHandlersPassThroughUnchanged() async throws {
        let streaming = try Workbench.service { streaming in
            streaming.commands.on(TryOrder.self, in: OrderWorkflow.self) { _, workflow in
                workflow.emit(OrderPlaced(number: 1))
                throw Failure(reason: "in a workflow")
            }
            streaming.commands.on(CountWords.self) { _ in throw Failure(reason: "without a workflow") }
            streaming.queries.on(FindWord.self) { _ in throw Failure(reason: "in a query") }
        }
        await #expect(throws: Failure(reason: "in a workflow")) {
            try await streaming.commands.send(TryOrder(number: 1))
        }
        await #expect(throws: Failure(reason: "without a workflow")) {
            try await streaming.commands.send(CountWords(text: ""))
        }
        await #expect(throws: Failure(reason: "in a query")) {
            try await streaming.queries.ask(FindWord(text: ""))
        }
        try await Workbench.expectWorking(streaming)
    }

    @Test func anErrorOfALibraryThatAHandlerPassesOnKeepsItsCode() async throws {
        let streaming = try Workbench.service { streaming in
            streaming.commands.on(TryOrder.self, in: OrderWorkflow.self) { _, _ in
                throw EventStreamingError(.storeUnavailable, "elsewhere", problems: ["one"], underlying: Failure())
            }
        }
        let error = await Workbench.refusal(.storeUnavailable, saying: "elsewhere") {
            try await streaming.commands.send(TryOrder(number: 1))
        }
        #expect(error?.problems == ["one"] && error?.underlying as? Failure == Failure())
    }

    @Test func queriesAreAnsweredAfterShutdownAndCommandsAreNot() async throws {
        try await withEventStreaming(streaming) { _ in }
        #expect(try await streaming.queries.ask(FindOrders(limit: 2)) == [1, 2])
        await Workbench.refusal(.shutDown, saying: "create a new one") {
            try await streaming.commands.send(PlaceOrder(number: 1))
        }
    }
}
