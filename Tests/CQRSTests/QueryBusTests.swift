import CQRS
import Testing

@Suite struct QueryBusTests {
    struct Greeting: Query {
        typealias Response = String?
        var name: String
    }

    @Test func handlersAndClosuresAnswerWithTypedResponses() async throws {
        let bus = try QueryBus { queries in
            queries.add(SquareHandler())
            queries.on(Greeting.self) { $0.name.isEmpty ? nil : "Hello \($0.name)" }
        }
        let square: Int = try await bus.ask(Square(value: 7))
        #expect(square == 49)
        #expect(try await bus.ask(Greeting(name: "Ada")) == "Hello Ada")
        #expect(try await bus.ask(Greeting(name: "")) == nil)
    }

    @Test func whatAHandlerThrowsReachesTheAskerUnchanged() async throws {
        let bus = try QueryBus { $0.on(Square.self) { _ in throw Failure(reason: "gone") } }
        await #expect(throws: Failure(reason: "gone")) { try await bus.ask(Square(value: 1)) }
    }

    @Test func anUnknownQueryIsAnErrorThatNamesIt() async throws {
        let bus = try QueryBus { _ in }
        let error = await #expect(throws: CQRSError.self) { try await bus.ask(Square(value: 1)) }
        #expect(error?.code == .noHandler)
        #expect(error?.message.contains("query Square ") == true)
    }

    @Test func aBusKnowsWhatItHandles() throws {
        struct Renamed: Query {
            typealias Response = Int
            static let queryName = "a.renamed.query"
        }
        let bus = try QueryBus { queries in
            queries.on(Renamed.self) { _ in 1 }
            queries.add(SquareHandler())
        }
        #expect(bus.handles(Square.self))
        #expect(!bus.handles(Greeting.self))
        #expect(bus.queryNames == ["Square", "a.renamed.query"])
    }

    @Test func everyProblemIsReportedAtOnce() throws {
        let error = #expect(throws: CQRSError.self) {
            try QueryBus { queries in
                queries.add(SquareHandler())
                queries.on(Square.self) { $0.value }
                queries.require(Greeting.self)
            }
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(
            error?.problems == [
                "The query Square has 2 handlers; register exactly one.",
                "The query Greeting is required but has no handler; register one.",
            ]
        )
    }

    @Test func rulesRegisteredForAQueryAreCheckedBeforeItsHandler() async throws {
        let recorder = Recorder()
        let bus = try QueryBus { queries in
            queries.on(Square.self) { query in
                recorder.record("handled")
                return query.value
            }
            queries.validate(Square.self) { query, violations in
                violations.range(query.value, in: 0...10, field: "value")
            }
        }
        let error = await #expect(throws: ValidationError.self) { try await bus.ask(Square(value: 11)) }
        #expect(error?.messageName == "Square")
        #expect(error?.violations.map(\.rule) == ["range"])
        #expect(recorder.entries.isEmpty)
        #expect(try await bus.ask(Square(value: 10)) == 10)
    }

    @Test func aBuilderBuildsABusOnItsOwn() async throws {
        var builder = QueryBusBuilder()
        builder.add(SquareHandler())
        let bus = try builder.build()
        #expect(try await bus.ask(Square(value: 2)) == 4)
    }
}
