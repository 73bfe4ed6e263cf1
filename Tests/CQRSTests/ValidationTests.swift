import CQRS
import Testing

@Suite struct ValidationTests {
    private let recorder = Recorder()

    private func bus(_ configure: (inout CommandBusBuilder) -> Void = { _ in }) throws -> CommandBus {
        let recorder = recorder
        return try CommandBus { commands in
            commands.on(RenameUser.self) { command in
                recorder.record("handled")
                return command.name
            }
            configure(&commands)
        }
    }

    @Test func everyViolatedRuleIsReportedAndNoHandlerRuns() async throws {
        let bus = try bus()
        let error = await #expect(throws: ValidationError.self) { try await bus.send(RenameUser(id: 0, name: "")) }
        #expect(
            error
                == ValidationError(
                    messageName: "RenameUser",
                    violations: [
                        Violation(field: "id", rule: "positive", message: "must be positive"),
                        Violation(field: "name", rule: "notEmpty", message: "must not be empty"),
                    ]
                )
        )
        #expect(recorder.entries.isEmpty)
    }

    @Test func aValidCommandIsHandledOnce() async throws {
        let bus = try bus()
        #expect(try await bus.send(RenameUser(id: 1, name: "Ada")) == "Ada")
        #expect(recorder.entries == ["handled"])
    }

    @Test func registeredRulesFollowTheCommandsOwnInOrder() async throws {
        let bus = try bus { commands in
            commands.validate(RenameUser.self) { command, violations in
                violations.check(command.id < 0, field: "id", rule: "first", message: "fails")
            }
            commands.validate(RenameUser.self) { command, violations in
                violations.check(command.id < 0, field: "id", rule: "second", message: "fails")
            }
        }
        let error = await #expect(throws: ValidationError.self) { try await bus.send(RenameUser(id: 0, name: "")) }
        #expect(error?.violations.map(\.rule) == ["positive", "notEmpty", "first", "second"])
        #expect(recorder.entries.isEmpty)
    }

    @Test func aRegisteredRuleAloneStopsACommand() async throws {
        let bus = try bus { commands in
            commands.validate(RenameUser.self) { command, violations in
                violations.check(command.name != "root", field: "name", rule: "reserved", message: "is reserved")
            }
        }
        let error = await #expect(throws: ValidationError.self) { try await bus.send(RenameUser(id: 1, name: "root")) }
        #expect(error?.violations.map(\.rule) == ["reserved"])
        #expect(recorder.entries.isEmpty)
        #expect(try await bus.send(RenameUser(id: 1, name: "ada")) == "ada")
    }

    @Test func rulesForACommandWithoutRulesOfItsOwnMayComeBeforeItsHandler() async throws {
        let bus = try CommandBus { commands in
            commands.validate(Add.self) { command, violations in
                violations.range(command.left, in: 0...9, field: "left")
                violations.range(command.right, in: 0...9, field: "right")
            }
            commands.add(AddHandler())
        }
        let error = await #expect(throws: ValidationError.self) { try await bus.send(Add(left: -1, right: 10)) }
        #expect(error?.violations.map(\.field) == ["left", "right"])
        #expect(try await bus.send(Add(left: 9, right: 0)) == 9)
    }

    @Test func aCommandRegisteredByGenericCodeIsValidatedAllTheSame() async throws {
        func register<C: Command>(_ type: C.Type, _ response: C.Response, in commands: inout CommandBusBuilder) {
            commands.on(type) { _ in response }
        }
        let bus = try CommandBus { register(RenameUser.self, "done", in: &$0) }
        await #expect(throws: ValidationError.self) { try await bus.send(RenameUser(id: 0, name: "")) }
        #expect(try await bus.send(RenameUser(id: 1, name: "Ada")) == "done")
    }

    @Test func aConditionalConformanceCountsWhereItsConditionHolds() async throws {
        let bus = try CommandBus { commands in
            commands.on(Envelope<RenameUser>.self) { _ in }
            commands.on(Envelope<Int>.self) { _ in }
        }
        try await bus.send(Envelope(content: 0))
        try await bus.send(Envelope(content: RenameUser(id: 1, name: "Ada")))
        await #expect(throws: ValidationError.self) {
            try await bus.send(Envelope(content: RenameUser(id: 1, name: "")))
        }
    }

    @Test func anErrorReadsAsOneLineWithEveryViolation() {
        let error = ValidationError(
            messageName: "RenameUser",
            violations: [
                Violation(field: "id", rule: "positive", message: "must be positive"),
                Violation(field: "name", rule: "notEmpty", message: "must not be empty"),
            ]
        )
        let text = "RenameUser is invalid: id must be positive (positive); name must not be empty (notEmpty)"
        #expect("\(error)" == text)
    }

    @Test func aHandlerMayReportViolationsOfItsOwn() async throws {
        let taken = Violation(field: "name", rule: "unique", message: "is taken")
        let bus = try CommandBus { commands in
            commands.on(RenameUser.self) { _ in
                throw ValidationError(messageName: RenameUser.commandName, violations: [taken])
            }
        }
        let error = await #expect(throws: ValidationError.self) { try await bus.send(RenameUser(id: 1, name: "Ada")) }
        #expect(error?.violations == [taken])
    }
}

private struct Envelope<Content: Sendable>: Command {
    var content: Content
}

extension Envelope: Validatable where Content: Validatable {
    func validate(_ violations: inout Violations) {
        content.validate(&violations)
    }
}
