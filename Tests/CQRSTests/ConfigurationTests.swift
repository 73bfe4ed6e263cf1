import CQRS
import Testing

@Suite struct ConfigurationTests {
    enum Billing {
        struct Close: Command {}
    }
    enum Support {
        struct Close: Command {}
    }

    private func problem(_ configure: (inout CommandBusBuilder) throws -> Void) -> CQRSError? {
        #expect(throws: CQRSError.self) { try CommandBus(configure) }
    }

    @Test func aSecondHandlerForACommandIsAnError() {
        let error = problem { commands in
            commands.add(AddHandler())
            commands.on(Add.self) { $0.left }
        }
        #expect(error?.code == .duplicateHandler)
        #expect(error?.problems == ["The command Add has 2 handlers; register exactly one."])
    }

    @Test func aMissingHandlerForARequiredCommandIsAnError() {
        let error = problem { $0.require(Ping.self) }
        #expect(error?.code == .noHandler)
        #expect(error?.problems == ["The command Ping is required but has no handler; register one."])
    }

    @Test func aRequiredCommandWithAHandlerIsFine() throws {
        let bus = try CommandBus { commands in
            commands.require(Add.self)
            commands.add(AddHandler())
            commands.require(Add.self)
        }
        #expect(bus.handles(Add.self))
    }

    @Test func rulesForACommandWithoutHandlerAreAnError() {
        let error = problem { $0.validate(Ping.self) { _, _ in } }
        #expect(error?.code == .noHandler)
        #expect(error?.problems == ["The command Ping has validation rules but no handler; register one."])
    }

    @Test func twoCommandsWithTheSameNameAreAnError() {
        let error = problem { commands in
            commands.on(Support.Close.self) { _ in }
            commands.on(Billing.Close.self) { _ in }
        }
        let types = "CQRSTests.ConfigurationTests.Billing.Close and CQRSTests.ConfigurationTests.Support.Close"
        #expect(error?.code == .duplicateName)
        #expect(error?.problems == ["\(types) are both named Close; give each a name of its own."])
    }

    @Test func allProblemsAreReportedAtOnceInTheOrderOfRegistration() {
        let error = problem { commands in
            commands.on(Billing.Close.self) { _ in }
            commands.validate(RenameUser.self) { _, _ in }
            commands.require(Ping.self)
            commands.on(Support.Close.self) { _ in }
            commands.on(Add.self) { $0.left }
            commands.on(Add.self) { $0.left }
            commands.on(Add.self) { $0.left }
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.problems.count == 4)
        #expect(
            error?.problems.dropLast() == [
                "The command RenameUser has validation rules but no handler; register one.",
                "The command Ping is required but has no handler; register one.",
                "The command Add has 3 handlers; register exactly one.",
            ]
        )
        #expect(error?.problems.last?.contains("both named Close") == true)
    }

    @Test func problemsOfOneKindKeepTheirCode() {
        let error = problem { commands in
            commands.require(Ping.self)
            commands.validate(Add.self) { _, _ in }
        }
        #expect(error?.code == .noHandler)
        #expect(error?.problems.count == 2)
    }

    @Test func whatTheConfigurationThrowsIsPassedOn() {
        #expect(throws: Failure(reason: "no database")) {
            try CommandBus { _ in throw Failure(reason: "no database") }
        }
    }

    @Test func aBuilderBuildsABusOnItsOwn() async throws {
        var builder = CommandBusBuilder()
        builder.add(AddHandler())
        let bus = try builder.build()
        #expect(try await bus.send(Add(left: 1, right: 2)) == 3)
    }

    @Test func theErrorOfABuilderIsTyped() {
        var builder = CommandBusBuilder()
        builder.require(Ping.self)
        do throws(CQRSError) {
            _ = try builder.build()
            Issue.record("A bus without a required handler was built.")
        } catch {
            #expect(error.code == .noHandler)
        }
    }

    @Test func codesHaveStableNames() {
        let codes: [CQRSError.Code] = [.noHandler, .duplicateHandler, .duplicateName, .invalidConfiguration]
        let names = ["cqrs.noHandler", "cqrs.duplicateHandler", "cqrs.duplicateName", "cqrs.invalidConfiguration"]
        #expect(codes.map(\.rawValue) == names)
        #expect(codes.map(\.description) == names)
    }

    @Test func anErrorDescribesItselfWithAllItsProblems() {
        let plain = CQRSError(code: .noHandler, message: "Nobody home.")
        let full = CQRSError(code: .invalidConfiguration, message: "Wrong.", problems: ["One.", "Two."])
        #expect("\(plain)" == "cqrs.noHandler: Nobody home.")
        #expect("\(full)" == "cqrs.invalidConfiguration: Wrong. One. Two.")
    }
}
