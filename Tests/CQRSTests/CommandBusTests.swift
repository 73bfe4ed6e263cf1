import CQRS
import Testing

@Suite struct CommandBusTests {
    @Test func aHandlerAnswersWithItsTypedResponse() async throws {
        let bus = try CommandBus { $0.add(AddHandler()) }
        let sum: Int = try await bus.send(Add(left: 2, right: 3))
        #expect(sum == 5)
    }

    @Test func aHandlerKeepsTheDependenciesItWasBuiltWith() async throws {
        let recorder = Recorder()
        struct PingHandler: CommandHandler {
            let recorder: Recorder
            func handle(_ command: Ping) async throws { recorder.record("ping") }
        }
        let bus = try CommandBus { commands in
            commands.add(PingHandler(recorder: recorder))
            commands.add(AddHandler(offset: 100))
        }
        try await bus.send(Ping())
        #expect(recorder.entries == ["ping"])
        #expect(try await bus.send(Add(left: 1, right: 1)) == 102)
    }

    @Test func aClosureIsAHandler() async throws {
        let recorder = Recorder()
        let bus = try CommandBus { commands in
            commands.on(Ping.self) { _ in recorder.record("ping") }
            commands.on(Add.self) { $0.left - $0.right }
        }
        try await bus.send(Ping())
        try await bus.send(Ping())
        #expect(recorder.entries == ["ping", "ping"])
        #expect(try await bus.send(Add(left: 5, right: 3)) == 2)
    }

    @Test func everyCommandGoesToItsOwnHandler() async throws {
        struct Other: Command {
            typealias Response = String
        }
        let bus = try CommandBus { commands in
            commands.on(Other.self) { _ in "other" }
            commands.add(AddHandler())
            commands.on(RenameUser.self) { $0.name }
        }
        #expect(try await bus.send(Other()) == "other")
        #expect(try await bus.send(Add(left: 1, right: 1)) == 2)
        #expect(try await bus.send(RenameUser(id: 1, name: "Ada")) == "Ada")
    }

    @Test func whatAHandlerThrowsReachesTheSenderUnchanged() async throws {
        let bus = try CommandBus { $0.on(Ping.self) { _ in throw Failure(reason: "full") } }
        await #expect(throws: Failure(reason: "full")) { try await bus.send(Ping()) }
    }

    @Test func anUnknownCommandIsAnErrorThatNamesIt() async throws {
        let bus = try CommandBus { $0.add(AddHandler()) }
        let error = await #expect(throws: CQRSError.self) { try await bus.send(Ping()) }
        #expect(error?.code == .noHandler)
        #expect(error?.message.contains("command Ping ") == true)
        #expect(error?.problems == [])
    }

    @Test func aBusKnowsWhatItHandles() throws {
        let bus = try CommandBus { commands in
            commands.on(RenameUser.self) { $0.name }
            commands.add(AddHandler())
        }
        #expect(bus.handles(Add.self))
        #expect(bus.handles(RenameUser.self))
        #expect(!bus.handles(Ping.self))
        #expect(bus.commandNames == ["Add", "RenameUser"])
    }

    @Test func anEmptyBusIsABus() async throws {
        let bus = try CommandBus { _ in }
        #expect(bus.commandNames.isEmpty)
        await #expect(throws: CQRSError.self) { try await bus.send(Ping()) }
    }

    @Test func aCommandWhoseTypeIsNotKnownIsRoutedByTheTypeOfItsValue() async throws {
        let bus = try CommandBus { $0.add(AddHandler()) }
        let command: any Command = Add(left: 20, right: 1)
        let response: any Sendable = try await bus.send(command)
        #expect(response as? Int == 21)
    }

    @Test func typesWithTheSameGenericBaseAreDifferentCommands() async throws {
        struct Box<Value: Sendable>: Command {
            typealias Response = String
            var value: Value
        }
        let bus = try CommandBus { commands in
            commands.on(Box<Int>.self) { "integer \($0.value)" }
            commands.on(Box<String>.self) { "string \($0.value)" }
        }
        #expect(try await bus.send(Box(value: 1)) == "integer 1")
        #expect(try await bus.send(Box(value: "a")) == "string a")
        #expect(!bus.handles(Box<Bool>.self))
        #expect(bus.commandNames == ["Box<Int>", "Box<String>"])
    }

    @Test func largeCommandsAndResponsesArriveWhole() async throws {
        struct Large: Command, Equatable {
            typealias Response = Large
            var first = "a string too long for its inline form", second = [1, 2, 3], third = 4.5, fourth: Int? = nil
        }
        let bus = try CommandBus { commands in
            commands.on(Large.self) { command in
                var response = command
                response.second.append(4)
                return response
            }
        }
        #expect(try await bus.send(Large()) == Large(second: [1, 2, 3, 4]))
    }

    @Test func theNameDefaultsToTheTypeAndCanBeStated() throws {
        struct Renamed: Command {
            static let commandName = "users.rename.v1"
        }
        #expect(Ping.commandName == "Ping")
        #expect(Renamed.commandName == "users.rename.v1")
        let bus = try CommandBus { $0.on(Renamed.self) { _ in } }
        #expect(bus.commandNames == ["users.rename.v1"])
    }

    @Test func theNameIsReadWhenTheBusIsBuiltAndNotForEachCommand() async throws {
        enum Reads {
            static let recorder = Recorder()
        }
        struct Counted: Command {
            static var commandName: String {
                Reads.recorder.record("read")
                return "Counted"
            }
        }
        let bus = try CommandBus { $0.on(Counted.self) { _ in } }
        let before = Reads.recorder.entries.count
        #expect(before > 0)
        try await bus.send(Counted())
        #expect(Reads.recorder.entries.count == before)
    }
}
