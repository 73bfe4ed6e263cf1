import CQRS

extension Benchmark {
    static let dispatch = Benchmark(
        "dispatch",
        "a typed command through the bus without middleware, against a direct call of its handler",
        target: Target("at most 100 ns and no allocation") { $0.value <= 100 && ($0["allocations"] ?? 0) == 0 }
    ) { rounds in
        let calls = 1_000_000
        let handler = CreateUserHandler()
        let bus = try CommandBus { $0.add(handler) }
        let command = CreateUser(name: "Ada Lovelace of London", email: "ada@example.org.uk.com", age: 36)
        return try await rounds.compare(unit: "ns") {
            let watch = Stopwatch()
            for _ in 0..<calls {
                keep(try await bus.send(command))
            }
            return watch.nanoseconds(per: calls)
        } with: {
            let watch = Stopwatch()
            for _ in 0..<calls {
                keep(try await callDirectly(handler, command))
            }
            return watch.nanoseconds(per: calls)
        }.addingAllocations(per: calls) {
            for _ in 0..<calls {
                keep(try await bus.send(command))
            }
        }
    }
}

private struct User: Sendable {
    var id: Int
    var name: String
    var email: String
}

private struct CreateUser: Command {
    typealias Response = User

    var name: String
    var email: String
    var age: Int
}

private struct CreateUserHandler: CommandHandler {
    func handle(_ command: CreateUser) async throws -> User {
        User(id: command.age, name: command.name, email: command.email)
    }
}

/// Not inlined, so that an asynchronous call remains.
@inline(never)
private func callDirectly(_ handler: CreateUserHandler, _ command: CreateUser) async throws -> User {
    try await handler.handle(command)
}
