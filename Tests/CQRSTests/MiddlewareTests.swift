import CQRS
import Testing

@Suite struct MiddlewareTests {
    private let recorder = Recorder()

    @Test func theFirstMiddlewareIsTheOutermost() async throws {
        let recorder = recorder
        let bus = try CommandBus { commands in
            commands.use(Tracing(name: "outer", recorder: recorder))
            commands.on(Ping.self) { _ in recorder.record("handler") }
            commands.use(Tracing(name: "inner", recorder: recorder))
        }
        try await bus.send(Ping())
        #expect(recorder.entries == ["outer in", "inner in", "handler", "inner out", "outer out"])
    }

    @Test func middlewareRunsForEveryRouteAndKnowsNameAndKind() async throws {
        let contexts = Recorder()
        let bus = try CommandBus { commands in
            commands.use(ContextRecorder(recorder: contexts))
            commands.add(AddHandler())
            commands.on(Ping.self) { _ in }
        }
        let queries = try QueryBus { queries in
            queries.use(ContextRecorder(recorder: contexts))
            queries.add(SquareHandler())
        }
        #expect(try await bus.send(Add(left: 1, right: 1)) == 2)
        try await bus.send(Ping())
        #expect(try await queries.ask(Square(value: 3)) == 9)
        #expect(contexts.entries == ["command Add", "command Ping", "query Square"])
    }

    @Test func middlewareMayAnswerWithoutTheHandler() async throws {
        let recorder = recorder
        let bus = try CommandBus { commands in
            commands.use(Answering(answer: 42))
            commands.on(Add.self) { _ in
                recorder.record("handler")
                return 0
            }
            commands.on(Ping.self) { _ in recorder.record("ping") }
        }
        #expect(try await bus.send(Add(left: 1, right: 1)) == 42)
        #expect(recorder.entries.isEmpty)
        try await bus.send(Ping())
        #expect(recorder.entries == ["ping"])
    }

    @Test func errorsTravelOutwardsAndMayBeReplaced() async throws {
        let recorder = recorder
        let bus = try CommandBus { commands in
            commands.use(Tracing(name: "outer", recorder: recorder))
            commands.use(Replacing(error: Failure(reason: "replaced")))
            commands.use(Tracing(name: "inner", recorder: recorder))
            commands.on(Ping.self) { _ in throw Failure(reason: "original") }
        }
        await #expect(throws: Failure(reason: "replaced")) { try await bus.send(Ping()) }
        let expected = ["outer in", "inner in", "inner Failure(reason: \"original\")"]
        #expect(recorder.entries == expected + ["outer Failure(reason: \"replaced\")"])
    }

    @Test func middlewareSeesMessagesThatFailValidation() async throws {
        let recorder = recorder
        let bus = try CommandBus { commands in
            commands.use(Tracing(name: "outer", recorder: recorder))
            commands.on(RenameUser.self) { command in
                recorder.record("handler")
                return command.name
            }
        }
        await #expect(throws: ValidationError.self) { try await bus.send(RenameUser(id: 1, name: "")) }
        #expect(recorder.entries.first == "outer in")
        #expect(recorder.entries.last == "outer RenameUser is invalid: name must not be empty (notEmpty)")
        #expect(recorder.entries.count == 2)
    }

    @Test func middlewareDoesNotSeeMessagesWithoutHandler() async throws {
        let recorder = recorder
        let bus = try CommandBus { $0.use(Tracing(name: "outer", recorder: recorder)) }
        await #expect(throws: CQRSError.self) { try await bus.send(Ping()) }
        #expect(recorder.entries.isEmpty)
    }

    @Test func middlewareMayCallOnAgain() async throws {
        let recorder = recorder
        let bus = try CommandBus { commands in
            commands.use(Retrying(attempts: 3))
            commands.on(Ping.self) { _ in
                recorder.record("attempt")
                if recorder.entries.count < 3 { throw Failure(reason: "not yet") }
            }
        }
        try await bus.send(Ping())
        #expect(recorder.entries.count == 3)
    }

    @Test func middlewareMayCallOnFromAnotherTask() async throws {
        let bus = try CommandBus { commands in
            commands.use(InChildTask())
            commands.add(AddHandler())
        }
        #expect(try await bus.send(Add(left: 2, right: 2)) == 4)
    }

    @Test func aMiddlewareCanBeTestedWithoutABus() async throws {
        let tracing = Tracing(name: "alone", recorder: recorder)
        let response = try await tracing.intercept(
            Add(left: 1, right: 2),
            context: BusContext(name: "Add", kind: .command),
            next: BusNext { $0.left * 10 + $0.right }
        )
        #expect(response == 12)
        #expect(recorder.entries == ["alone in", "alone out"])
    }
}

private struct Tracing: BusMiddleware {
    let name: String
    let recorder: Recorder

    func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response {
        recorder.record("\(name) in")
        do {
            let response = try await next(message)
            recorder.record("\(name) out")
            return response
        } catch {
            recorder.record("\(name) \(error)")
            throw error
        }
    }
}

private struct ContextRecorder: BusMiddleware {
    let recorder: Recorder

    func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response {
        recorder.record("\(context.kind) \(context.name)")
        return try await next(message)
    }
}

private struct Answering<Answer: Sendable>: BusMiddleware {
    let answer: Answer

    func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response {
        if let answer = answer as? Message.Response { return answer }
        return try await next(message)
    }
}

private struct Replacing: BusMiddleware {
    let error: Failure

    func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response {
        do {
            return try await next(message)
        } catch {
            throw self.error
        }
    }
}

private struct Retrying: BusMiddleware {
    let attempts: Int

    func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response {
        for _ in 1..<attempts {
            do { return try await next(message) } catch is Failure {}
        }
        return try await next(message)
    }
}

private struct InChildTask: BusMiddleware {
    func intercept<Message: BusMessage>(
        _ message: Message,
        context: BusContext,
        next: BusNext<Message>
    ) async throws -> Message.Response {
        async let response = next(message)
        return try await response
    }
}
