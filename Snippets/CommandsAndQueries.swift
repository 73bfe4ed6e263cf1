// The CQRS module by itself: commands, queries, rules and middleware.
import CQRS

struct AddUser: Command {
    typealias Response = Int
    var name: String
}

struct FindUser: Query {
    typealias Response = String?
    var number: Int
}

extension AddUser: Validatable {
    func validate(_ violations: inout Violations) {
        violations.length(name, in: 1...100, field: "name")
    }
}

actor Directory {
    private var names: [String] = []

    func add(_ name: String) -> Int {
        names.append(name)
        return names.count - 1
    }

    func name(_ number: Int) -> String? {
        names.indices.contains(number) ? names[number] : nil
    }
}

struct AddUserHandler: CommandHandler {
    let directory: Directory

    func handle(_ command: AddUser) async throws -> Int {
        await directory.add(command.name)
    }
}

struct FindUserHandler: QueryHandler {
    let directory: Directory

    func handle(_ query: FindUser) async throws -> String? {
        await directory.name(query.number)
    }
}

let directory = Directory()

let commands = try CommandBus { [directory] commands in
    commands.use(LoggingMiddleware())
    commands.add(AddUserHandler(directory: directory))
}
let queries = try QueryBus { [directory] queries in
    queries.add(FindUserHandler(directory: directory))
}

let number = try await commands.send(AddUser(name: "Ada"))
let name = try await queries.ask(FindUser(number: number))
print(name ?? "nobody")

do {
    _ = try await commands.send(AddUser(name: ""))
} catch let error as ValidationError {
    print(error)
}
