import CQRS
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct ConcurrencyTests {
    @Test func manyTasksShareOneBus() async throws {
        let counter = Counter()
        let bus = try CommandBus { commands in
            commands.add(AddHandler())
            commands.on(Ping.self) { _ in counter.increment() }
        }
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<64 {
                group.addTask {
                    var sum = 0
                    for index in 0..<200 {
                        sum += try await bus.send(Add(left: task, right: index))
                        try await bus.send(Ping())
                    }
                    return sum
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(total == 64 * 200 * (63 + 199) / 2)
        #expect(counter.value == 64 * 200)
    }

    @Test func handlersOfOneCommandRunAtTheSameTime() async throws {
        let gate = Gate(parties: 8)
        let bus = try CommandBus { $0.on(Ping.self) { _ in await gate.arrive() } }
        // Nobody passes the gate before all eight are inside the handler.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { try await bus.send(Ping()) }
            }
            try await group.waitForAll()
        }
        #expect(await gate.arrivals == 8)
    }

    @Test func aCommandFromACancelledTaskReachesItsHandlerWhichSeesTheCancellation() async throws {
        let recorder = Recorder()
        let bus = try CommandBus { commands in
            commands.on(Ping.self) { _ in
                recorder.record("cancelled: \(Task.isCancelled)")
                try Task.checkCancellation()
            }
        }
        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask {
                await #expect(throws: CancellationError.self) { try await bus.send(Ping()) }
            }
        }
        #expect(recorder.entries == ["cancelled: true"])
    }

    @Test func aHandlerRunsInTheIsolationOfAnActorThatSends() async throws {
        let bus = try CommandBus { $0.add(LocatingHandler()) }
        let sender = Sender(bus: bus)
        #expect(try await sender.isHandledOnItself())
        #expect(try await bus.send(Locate(actor: sender)) == false)
    }

    @Test func taskLocalValuesReachTheHandler() async throws {
        let bus = try CommandBus { $0.on(Locale.self) { _ in Locale.current } }
        let value = try await Locale.$current.withValue("fr") { try await bus.send(Locale()) }
        #expect(value == "fr")
    }
}

private struct Locate: Command {
    typealias Response = Bool
    var actor: Sender
}

private struct LocatingHandler: CommandHandler {
    nonisolated(nonsending) func handle(_ command: Locate) async throws -> Bool {
        // Not `#isolation === command.actor`: Swift 6.3.1 crashes when it optimises that.
        let isolation = #isolation
        return isolation.map { ObjectIdentifier($0) } == ObjectIdentifier(command.actor)
    }
}

private struct Locale: Command {
    typealias Response = String
    @TaskLocal static var current = "en"
}

private actor Sender {
    private let bus: CommandBus

    init(bus: CommandBus) {
        self.bus = bus
    }

    func isHandledOnItself() async throws -> Bool {
        try await bus.send(Locate(actor: self))
    }
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func increment() {
        count.add(1, ordering: .relaxed)
    }
}

/// Lets everybody through once all have come.
private actor Gate {
    private let parties: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private(set) var arrivals = 0

    init(parties: Int) {
        self.parties = parties
    }

    func arrive() async {
        arrivals += 1
        guard arrivals == parties else { return await withCheckedContinuation { waiting.append($0) } }
        for continuation in waiting {
            continuation.resume()
        }
        waiting = []
    }
}
