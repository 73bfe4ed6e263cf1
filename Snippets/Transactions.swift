// Transactions: tables of the service's own, written together with events and checkpoints.
import EventStreaming
import EventStreamingSQLite
import Foundation
import GRDB

#if PostgreSQL
import EventStreamingPostgreSQL
#endif

struct UserWorkflow: Workflow {
    static let streamName = "users"
}

struct UserAdded: Event {
    typealias Process = UserWorkflow
    var name: String
}

struct AddUser: Command {
    var name: String
}

func makeTables(in store: SQLiteEventStreamStore) async throws {
    try await store.withSQLiteTransaction { transaction in
        try transaction.database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY);
                CREATE TABLE IF NOT EXISTS greetings (name TEXT NOT NULL);
                """
        )
    }
}

func makeStreaming(_ store: SQLiteEventStreamStore) throws -> EventStreaming {
    try EventStreaming(storage: EventStreamingStorage { _ in store }) { streaming in
        streaming.addStream(UserWorkflow.self) { stream in
            stream.type = .persistent
        }
        streaming.addEvent(UserAdded.self)
        streaming.addSubscription("greetings") { subscription in
            subscription.stream(UserWorkflow.self)
            subscription.mode = .exclusive
        }
        streaming.commands.on(AddUser.self, in: UserWorkflow.self) { command, workflow in
            workflow.write { transaction in
                try transaction.sqlite.database.execute(
                    sql: "INSERT INTO users (name) VALUES (?)",
                    arguments: [command.name]
                )
            }
            workflow.emit(UserAdded(name: command.name))
        }
    }
}

/// Greets so many users, each once.
func greet(_ count: Int, _ streaming: EventStreaming) async throws {
    var greeted = 0
    for try await delivery in try streaming.subscribe(to: "greetings", as: "greeter-1") {
        guard let added = delivery.event(as: UserAdded.self) else { continue }
        try await delivery.acknowledge { transaction in
            try transaction.sqlite.database.execute(
                sql: "INSERT INTO greetings (name) VALUES (?)",
                arguments: [added.name]
            )
        }
        greeted += 1
        if greeted == count { break }
    }
}

func count(_ table: String, in store: SQLiteEventStreamStore) async throws -> Int? {
    try await store.withSQLiteTransaction { transaction in
        try Int.fetchOne(transaction.database, sql: "SELECT count(*) FROM \(table)")
    }
}

#if PostgreSQL
/// The same with PostgreSQL: values go by `$1`, `$2`…, never into the text.
func insert(_ name: String, _ workflow: inout WorkflowContext<UserWorkflow>) {
    workflow.write { transaction in
        try transaction.postgreSQL.execute("INSERT INTO public.users (name) VALUES ($1)", [name])
    }
}
#endif

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("users-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }

let store = try SQLiteEventStreamStore(path: folder.appendingPathComponent("users.sqlite").path)
try await makeTables(in: store)
try await withEventStreaming(makeStreaming(store)) { streaming in
    try await streaming.commands.send(AddUser(name: "ada"))
    do {
        // The table refuses the second row, so the event is not appended either.
        try await streaming.commands.send(AddUser(name: "ada"))
    } catch {
        print("refused:", error)
    }
    try await streaming.commands.send(AddUser(name: "grace"))
    try await greet(2, streaming)
    let events = try await streaming.metadata(of: "users").count
    let users = try await count("users", in: store)
    let greetings = try await count("greetings", in: store)
    print("\(events) events, \(users ?? 0) users, \(greetings ?? 0) greetings")
    guard events == 2, users == 2, greetings == 2 else { exit(1) }
}
