package import EventStreaming
import Foundation
package import ProcessTesting

/// Kills a service again and again while it appends and consumes, and checks after each time what it has left.
///
/// Checked is, after every kill: each append that was acknowledged is in the stream, once, where it was said to be; what
/// is in the stream was tried; offsets are dense; no checkpoint is past an event that was not handled; no effect that is
/// committed with its checkpoint was made twice; a group handled what one writer appended in order. At the end, with a service that is left alone: every event was handled by
/// every subscription.
package struct CrashRun {
    /// How the service is told where its events are.
    package let storageArgument: String
    /// The same storage, for the one who checks. Used only while no service runs.
    package let storage: EventStreamingStorage
    /// The offsets in the table of ``ProbeService/recorder``, each as often as there are rows. Called while no service runs.
    package let recorded: @Sendable () async throws -> [Int64]
    /// A folder for what the service writes besides.
    package let folder: String
    package let seed: UInt64

    private var acknowledged: [String: Int64] = [:]
    private var tried: Set<String> = []
    private var random: CrashGenerator

    package init(
        storageArgument: String,
        storage: EventStreamingStorage,
        folder: String,
        seed: UInt64,
        recorded: @escaping @Sendable () async throws -> [Int64]
    ) {
        self.recorded = recorded
        self.storageArgument = storageArgument
        self.storage = storage
        self.folder = folder
        self.seed = seed
        random = CrashGenerator(seed: seed)
    }

    private var effects: String { folder + "/effects" }

    /// Runs the service and kills it, `rounds` times, and lets it finish in the end.
    ///
    /// - Returns: How many appends were acknowledged, and how many events the stream has.
    package mutating func run(rounds: Int) async throws -> (acknowledged: Int, stored: Int) {
        for round in 1...rounds {
            let lines = try await Self.runAndKill(
                [storageArgument, effects, "append"],
                afterAcknowledgements: Int.random(in: 1...40, using: &random)
            )
            note(lines)
            try await check("seed \(seed), round \(round)")
        }
        return try await finish()
    }

    /// Runs several services at once and kills each of them again and again, `rounds` times, at times of its own.
    package mutating func run(rounds: Int, services: Int) async throws -> (acknowledged: Int, stored: Int) {
        let counts = (0..<services).map { _ in (0..<rounds).map { _ in Int.random(in: 20...120, using: &random) } }
        let (storageArgument, effects) = (storageArgument, effects)
        let lines = try await withThrowingTaskGroup(of: [String].self) { group in
            for counts in counts {
                group.addTask {
                    var lines: [String] = []
                    for count in counts {
                        lines += try await Self.runAndKill(
                            [storageArgument, effects, "append"], afterAcknowledgements: count)
                    }
                    return lines
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        note(lines)
        try await check("seed \(seed), after \(rounds) rounds of \(services) services")
        return try await finish()
    }

    /// Runs one service and lets something happen to what it depends on, `rounds` times. It has to go on by itself.
    package mutating func run(
        rounds: Int,
        whileRunning disturb: (Program) async throws -> Void
    ) async throws -> (acknowledged: Int, stored: Int) {
        let arguments = [storageArgument, effects, "append"]
        var count = 0
        let steps = (0..<rounds).map { _ in Int.random(in: 1...200, using: &random) }
        let lines = try await withProgram(at: builtProgram("CrashProbe"), arguments, deadline: .seconds(180)) {
            service in
            for step in steps {
                count += step
                let seen = try await service.lines(until: "ack ", count: count)
                count = max(count, seen.count { $0.hasPrefix("ack ") })
                try await disturb(service)
            }
            _ = try await service.lines(until: "ack ", count: count + 100)
            try service.kill()
            return try await service.outcome().lines
        }
        note(lines)
        try await check("seed \(seed), after \(rounds) rounds")
        return try await finish()
    }

    /// Lets a service that is left alone finish, and checks everything.
    private mutating func finish() async throws -> (acknowledged: Int, stored: Int) {
        // Longer than it gives itself, so that it tells what is left.
        let outcome = try await runProgram(
            at: builtProgram("CrashProbe"), [storageArgument, effects, "drain"], deadline: .seconds(150))
        guard outcome.lines.last == "drained" else {
            throw CrashFailure("seed \(seed): the service that was left alone did not finish: \(outcome)")
        }
        let stored = try await check("seed \(seed), at the end")
        try await checkEffects(of: stored)
        return (acknowledged.count, stored)
    }

    private static func runAndKill(
        _ arguments: [String],
        afterAcknowledgements count: Int
    ) async throws -> [String] {
        try await withProgram(at: builtProgram("CrashProbe"), arguments) { service in
            _ = try await service.lines(until: "ack ", count: count)
            try service.kill()
            return try await service.outcome().lines
        }
    }

    private mutating func note(_ lines: [String]) {
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            if words.first == "try" {
                tried.formUnion(words.dropFirst())
            } else if words.first == "ack", words.count > 2, let first = Int64(words[1]) {
                for (index, key) in words.dropFirst(2).enumerated() {
                    acknowledged[key] = first + Int64(index)
                }
            }
        }
    }

    // MARK: - Checking

    /// - Returns: How many events there are.
    @discardableResult
    private func check(_ moment: String) async throws -> Int {
        let streaming = try EventStreaming(storage: storage) { streaming in
            ProbeService.declare(in: &streaming) { _, _ in }
        }
        var places: [String: Int64] = [:]
        var offset = StreamOffset.zero
        while true {
            let page = try await streaming.read(ProbeService.stream, from: offset, limit: 10_000)
            for event in page {
                guard event.offset == offset else {
                    throw CrashFailure("\(moment): after \(offset) comes \(event.offset)")
                }
                offset = offset.advanced(by: 1)
                guard case .encoded(let bytes) = event.payload, let key = Self.key(in: bytes) else {
                    throw CrashFailure("\(moment): the event at \(event.offset) is damaged")
                }
                guard tried.contains(key) else {
                    throw CrashFailure("\(moment): nobody appended \(key) at \(event.offset)")
                }
                guard places.updateValue(event.offset.rawValue, forKey: key) == nil else {
                    throw CrashFailure("\(moment): \(key) is in the stream twice")
                }
            }
            if page.isEmpty { break }
        }
        for (key, place) in acknowledged where places[key] != place {
            let found = places[key].map(String.init) ?? "nowhere"
            throw CrashFailure("\(moment): \(key) was acknowledged at \(place), and is at \(found)")
        }
        let handled = try await handledOffsets(moment)
        try checkOrder(moment, keys: Dictionary(uniqueKeysWithValues: places.map { ($1, $0) }))
        for subscription in ProbeService.subscriptions {
            for progress in try await streaming.progress(of: subscription) {
                for offset in 0..<progress.position.rawValue where !handled[subscription, default: []].contains(offset)
                {
                    throw CrashFailure(
                        "\(moment): the checkpoint \(progress.position) of \(subscription) is past \(offset), which "
                            + "was not handled"
                    )
                }
            }
        }
        return places.count
    }

    /// The group handled each writer's events in order; what was handled again came again later.
    private func checkOrder(_ moment: String, keys: [Int64: String]) throws {
        guard let text = try? String(contentsOfFile: effects, encoding: .utf8) else { return }
        var last: [String: Int64] = [:]
        var seen: Set<Int64> = []
        for line in text.split(separator: "\n") where line.hasPrefix(ProbeService.group + " ") {
            guard let offset = line.split(separator: " ").last.flatMap({ Int64($0) }), let key = keys[offset],
                seen.insert(offset).inserted
            else { continue }
            let writer = ProbeEvent.writer(of: key)
            if let before = last[writer], before > offset {
                throw CrashFailure("\(moment): the group handled \(offset) of \(writer) after \(before)")
            }
            last[writer] = offset
        }
    }

    private static func key(in bytes: [UInt8]) -> String? {
        struct Payload: Decodable { var key: String }
        return try? JSONDecoder().decode(Payload.self, from: Data(bytes)).key
    }

    private func handledOffsets(_ moment: String) async throws -> [String: Set<Int64>] {
        var handled: [String: Set<Int64>] = [:]
        for offset in try await recorded() {
            guard handled[ProbeService.recorder, default: []].insert(offset).inserted else {
                throw CrashFailure("\(moment): the effect of \(offset) was made twice, though with its checkpoint")
            }
        }
        guard let text = try? String(contentsOfFile: effects, encoding: .utf8) else { return handled }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let offset = Int64(words[1]) else {
                throw CrashFailure("the effects have a damaged line: \(line)")
            }
            handled[String(words[0]), default: []].insert(offset)
        }
        return handled
    }

    private func checkEffects(of stored: Int) async throws {
        let handled = try await handledOffsets("seed \(seed), at the end")
        for subscription in ProbeService.subscriptions {
            let missing = Set(0..<Int64(stored)).subtracting(handled[subscription, default: []])
            guard missing.isEmpty else {
                throw CrashFailure("seed \(seed): \(subscription) never handled \(missing.sorted().prefix(10))")
            }
        }
    }
}

/// What a crash has broken.
package struct CrashFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Repeatable from its seed.
struct CrashGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
