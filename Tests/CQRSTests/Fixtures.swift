import CQRS
import Synchronization

struct Ping: Command {}

struct Add: Command {
    typealias Response = Int
    var left: Int
    var right: Int
}

struct RenameUser: Command {
    typealias Response = String
    var id: Int
    var name: String
}

extension RenameUser: Validatable {
    func validate(_ violations: inout Violations) {
        violations.check(id > 0, field: "id", rule: "positive", message: "must be positive")
        violations.notEmpty(name, field: "name")
    }
}

struct Square: Query {
    typealias Response = Int
    var value: Int
}

struct AddHandler: CommandHandler {
    var offset = 0

    func handle(_ command: Add) async throws -> Int {
        command.left + command.right + offset
    }
}

struct SquareHandler: QueryHandler {
    func handle(_ query: Square) async throws -> Int {
        query.value * query.value
    }
}

struct Failure: Error, Equatable {
    var reason: String
}

/// Remembers what happened, in order, from any task.
final class Recorder: Sendable {
    private let state = Mutex<[String]>([])

    var entries: [String] { state.withLock { $0 } }

    func record(_ entry: String) {
        state.withLock { $0.append(entry) }
    }
}
