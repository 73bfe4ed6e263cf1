import CrashTesting
import EventStreaming
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The service that crash tests kill: it appends and consumes, and says what it does.
///
///     CrashProbe <storage> <effects file> append         until it is killed, or its standard input ends
///     CrashProbe <storage> <effects file> drain          until every subscription has finished
///     CrashProbe <storage> <effects file> exact <name>   as append, with events handled exactly once
///     CrashProbe <storage> <effects file> exact-drain <name>    as drain, redriving what was given up
///     CrashProbe <storage> <effects file> trap           a handler that ends the process; until it has finished
///
/// Standard output has a line for each attempt to append, `try <key>…`, and for each success, `ack <offset> <key>…`.
/// The effects file gets a line for each event handled, before the event counts as finished. Where rows are written instead,
/// each is written in the transaction that finishes its event.
@main
struct Main {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let store = try ProbeStore(arguments[1]) else {
            throw ProbeError(
                text:
                    "usage: CrashProbe sqlite:<path>|postgresql:<url> <effects file> append|drain|exact|exact-drain|trap [name]"
            )
        }
        let effects = try EffectsFile(path: arguments[2])
        try await untilAvailable { try await store.makeTables() }
        switch arguments[3] {
        case "exact": try await runExactlyOnce(store, effects, as: arguments.last ?? "", drains: false)
        case "exact-drain": try await runExactlyOnce(store, effects, as: arguments.last ?? "", drains: true)
        case "trap": try await runTrap(store, effects)
        case "drain": try await run(store, effects, drains: true)
        default: try await run(store, effects, drains: false)
        }
    }

    private static func run(_ store: ProbeStore, _ effects: EffectsFile, drains: Bool) async throws {
        let streaming = try EventStreaming(storage: store.storage) { streaming in
            ProbeService.declare(in: &streaming) { subscription, delivery in
                if subscription == ProbeService.recorder {
                    try await store.record(delivery)
                } else {
                    try effects.write("\(subscription) \(delivery.record.offset.rawValue)")
                }
            }
        }
        try await withEventStreaming(streaming) { streaming in
            if drains {
                try await drain(streaming, ProbeService.subscriptions)
                print("drained")
            } else {
                try await append(to: streaming)
            }
        }
    }

    // MARK: - Appending

    /// Appends until standard input ends.
    static func append(to streaming: EventStreaming) async throws {
        let input = StandardInput()
        let process = UInt64.random(in: 1 ... .max)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask { try await append(to: streaming, as: "\(process)-\(task)", until: input) }
            }
            try await group.waitForAll()
        }
    }

    private static func append(to streaming: EventStreaming, as writer: String, until input: StandardInput) async throws
    {
        var number = 0
        while !Task.isCancelled, !input.hasEnded {
            let keys = (0..<Int.random(in: 1...5)).map { "\(writer)-\(number + $0)" }
            number += keys.count
            say("try " + keys.joined(separator: " "))
            do throws(EventStreamingError) {
                let result = try await streaming.emitter.emit(keys.map { ProbeEvent(key: $0) })
                if let first = result?.offsets.lowerBound.rawValue {
                    say("ack \(first) " + keys.joined(separator: " "))
                }
            } catch {
                guard error.isRetriable else { throw error }
                // Whether it was made is not known. What comes next has other keys.
                say("unknown \(error.code)")
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    // MARK: - Draining

    /// Waits until every position is at the end. The handlers run meanwhile.
    ///
    /// - Parameter step: What to do again and again; whether something is left to do besides.
    static func drain(
        _ streaming: EventStreaming,
        _ subscriptions: [String],
        _ step: () async throws -> Bool = { false }
    ) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(120)
        while clock.now < deadline {
            var isDone = true
            for subscription in subscriptions {
                for progress in try await streaming.progress(of: subscription) where !progress.isFinished {
                    isDone = false
                }
            }
            // Afterwards: what was in flight before may have been given up since.
            if try await !step(), isDone { return }
            try await clock.sleep(for: .milliseconds(20))
        }
        var state = ""
        for subscription in subscriptions {
            state += "\n\(subscription): \(try await streaming.progress(of: subscription))"
        }
        throw ProbeError(text: "not drained within two minutes:\(state)")
    }

    /// Does something again and again while the store is away.
    static func untilAvailable(_ body: () async throws -> Void) async throws {
        while true {
            do {
                return try await body()
            } catch let error as EventStreamingError where error.isRetriable {
                say("unknown \(error.code)")
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Writes a line at once: what the program has said must not be lost with it.
    static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        output.withLock { _ in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    private static let output = Mutex(())
}
