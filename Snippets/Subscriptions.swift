// Subscriptions: handlers, loops, batches, failures and dead letters.
import EventStreaming
import Synchronization

struct UserWorkflow: Workflow {}

struct UserAdded: Event {
    typealias Process = UserWorkflow
    var name: String
}

struct UserRemoved: Event {
    typealias Process = UserWorkflow
    var name: String
}

struct FriendsInvited: Event {
    typealias Process = UserWorkflow
    var user: String
}

struct InviteFriends: Command {
    var user: String
}

struct InviteFriendsHandler: WorkflowCommandHandler {
    func handle(_ command: InviteFriends, in workflow: inout WorkflowContext<UserWorkflow>) async throws {
        workflow.emit(FriendsInvited(user: command.user))
    }
}

struct MailServerDown: Error {}

/// Sends the mail, and is not always there.
final class Mailer: Sendable {
    let sent = Mutex<[String]>([])

    func send(to name: String) throws {
        if name == "nobody" { throw MailServerDown() }
        sent.withLock { $0.append(name) }
    }
}

let mailer = Mailer()
let (handled, signal) = AsyncStream.makeStream(of: String.self)

let streaming = try EventStreaming { [mailer] streaming in
    streaming.addStream(UserWorkflow.self) { stream in
        stream.type = .persistent
    }
    streaming.addSubscription("welcome-mail") { subscription in
        subscription.stream(UserWorkflow.self)
        subscription.mode = .exclusive
        subscription.retry.maximumAttempts = 2
        subscription.retry.initialDelay = .milliseconds(10)
        subscription.maximumConcurrency = 4
        subscription.handle(UserAdded.self) { event, delivery in
            signal.yield(event.name)
            try mailer.send(to: event.name)
        }
    }
    streaming.commands.add(InviteFriendsHandler())
    streaming.addSubscription("onboarding") { subscription in
        subscription.stream(UserWorkflow.self)
        subscription.mode = .exclusive
        subscription.handle(UserAdded.self) { event, delivery in
            try await delivery.commands.send(InviteFriends(user: event.name))
        }
    }
    streaming.addSubscription("search-index") { subscription in
        subscription.stream(UserWorkflow.self)
        subscription.mode = .broadcast
        subscription.include(UserAdded.self)
        subscription.include(UserRemoved.self)
    }
    streaming.addSubscription("dashboard") { subscription in
        subscription.stream(UserWorkflow.self)
        subscription.semantics = .atMostOnce
        subscription.start = .latest
    }
    streaming.addSubscription("mail-failures") { subscription in
        subscription.stream("welcome-mail-dead-letters")
        subscription.mode = .exclusive
    }
}

try await streaming.emitter.emit([UserAdded(name: "ada"), UserAdded(name: "grace")])

// MARK: - A loop

func index() async throws {
    for try await delivery in try streaming.subscribe(to: "search-index", as: "node-1") {
        switch delivery.event {
        case let added as UserAdded:
            print("index \(added.name)")
        case let removed as UserRemoved:
            print("forget \(removed.name)")
        default:
            try await delivery.reject(.deadLetter, reason: "not for the index")
        }
        if delivery.record.offset == StreamOffset(1) {
            try await delivery.acknowledge()
            break
        }
    }
}
try await index()

// MARK: - Batches

func indexInBatches() async throws {
    for try await batch in try streaming.subscribe(to: "search-index", as: "node-2").batches {
        print("index \(batch.records.map(\.offset)) at once")
        try await batch.acknowledge()
        break
    }
}
try await indexInBatches()

// MARK: - From now on

func watch() async throws {
    try await streaming.withSubscription(to: "dashboard") { deliveries in
        try await streaming.emitter.emit(UserAdded(name: "nobody"))
        for try await delivery in deliveries {
            print("dashboard: \(delivery.event)")
            break
        }
    }
}
try await watch()

// MARK: - Handlers, while the service runs

try await withEventStreaming(streaming) { streaming in
    // "ada" and "grace" once each, "nobody" twice.
    var names: [String] = []
    for await name in handled {
        names.append(name)
        if names.count == 4 { break }
    }
    print(names.sorted())
    for try await letter in try streaming.subscribe(to: "mail-failures", as: "operator") {
        print("failed after \(letter.attempt) delivery of the dead letter: \(letter.event)")
        try await letter.acknowledge()
        break
    }
    try await repair(streaming)
}

func repair(_ streaming: EventStreaming) async throws {
    for letter in try await streaming.deadLetters(of: "welcome-mail") {
        print("\(letter.event.type) at \(letter.event.offset): \(letter.attempts) attempts, \(letter.reason)")
    }
    let count = try await streaming.redriveDeadLetters(of: "welcome-mail")
    print("\(count) delivered again")
}

// MARK: - Looking

func report() async throws {
    for position in try await streaming.progress(of: "search-index") {
        print(position.consumer?.description ?? "all", "is \(position.lag) events behind")
    }
}

func removeForGood() async throws {
    try await streaming.removeConsumer("node-2", of: "search-index")
}
