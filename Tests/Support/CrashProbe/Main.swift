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
///     CrashProbe <storage> <effects file> append    until it is killed
///     CrashProbe <storage> <effects file> drain     until every subscription has finished
///
/// Standard output has a line for each attempt to append, `try <key>…`, and for each success, `ack <offset> <key>…`.
/// The effects file gets a line for each event handled, before the event counts as finished. One subscription writes rows
/// to a table `probe_effects` instead, each in the transaction that finishes its event.
@main
struct Main {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let store = try ProbeStore(arguments[1]) else {
            throw ProbeError(text: "usage: CrashProbe sqlite:<path>|postgresql:<url> <effects file> append|drain")
        }
        let effects = try EffectsFile(path: arguments[2])
        try await store.makeTable()
        let streaming = try EventStreaming(storage: store.storage) { streaming in
            ProbeService.declare(in: &streaming) { subscription, delivery in
                if subscription == ProbeService.recorder {
                    try await store.record(delivery)
                } else {
                    try effects.write("\(subscription) \(delivery.record.offset.rawValue)")
                }
            }
        }
        let drains = arguments[3] == "drain"
        try await withEventStreaming(streaming) { streaming in
            if drains {
                try await drain(streaming)
                print("drained")
            } else {
                try await append(to: streaming)
            }
        }
    }

    // MARK: - Appending

    private static func append(to streaming: EventStreaming) async throws {
        let process = UInt64.random(in: 1 ... .max)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask { try await append(to: streaming, as: "\(process)-\(task)") }
            }
            try await group.waitForAll()
        }
    }

    private static func append(to streaming: EventStreaming, as writer: String) async throws {
        var number = 0
        while !Task.isCancelled {
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
    private static func drain(_ streaming: EventStreaming) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        while clock.now < deadline {
            var isDone = true
            for subscription in ProbeService.subscriptions {
                for progress in try await streaming.progress(of: subscription) where progress.position < progress.head {
                    isDone = false
                }
            }
            if isDone { return }
            try await clock.sleep(for: .milliseconds(20))
        }
        throw ProbeError(text: "not drained within a minute")
    }

    /// Writes a line at once: what the program has said must not be lost with it.
    private static func say(_ line: String) {
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

/// A file of lines, each written with one call of the system.
final class EffectsFile: Sendable {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        guard descriptor >= 0 else { throw ProbeError(text: "cannot open \(path)") }
    }

    func write(_ line: String) throws {
        let bytes = Array((line + "\n").utf8)
        #if canImport(Glibc)
        let count = Glibc.write(descriptor, bytes, bytes.count)
        #else
        let count = Darwin.write(descriptor, bytes, bytes.count)
        #endif
        guard count == bytes.count else { throw ProbeError(text: "cannot write the effects") }
    }
}

struct ProbeError: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}
