package import EventStreaming
import Foundation
import ProcessTesting

/// Ends services that handle their events exactly once, again and again, and looks at what they have done.
///
/// Checked is, whenever a round is over: no event has two rows of one subscription, in whose transactions it was finished;
/// what is filtered out has none; the rows of one writer's events are in order where nothing is given up; what was marked
/// as processed is not begun again. At the end, with a service that is left alone and redrives what was given up: every
/// event has exactly one row of each subscription, was processed once and has its mark.
package struct ExactlyOnceRun {
    /// What happens to a service in the end.
    package enum Fate: CaseIterable, Sendable {
        /// It is killed.
        case kill
        /// It is told to end, so that others take over at once.
        case leave
        /// It is stopped for longer than its leases last, goes on, and is killed some time later.
        case stop
    }

    private let storageArgument: String
    private let storage: EventStreamingStorage
    private let folder: String
    private let seed: UInt64
    private let rows: @Sendable () async throws -> [ProbeRow]
    private var random: CrashGenerator
    /// Events that had a mark when the effects file had so many lines.
    private var marks: [(lines: Int, offsets: Set<Int64>)] = []

    /// - Parameters:
    ///   - storageArgument: How the service is told where its events are.
    ///   - storage: The same storage, for the one who checks.
    ///   - folder: A folder for what the service writes besides.
    ///   - rows: All rows that handlers wrote.
    package init(
        storageArgument: String,
        storage: EventStreamingStorage,
        folder: String,
        seed: UInt64,
        rows: @escaping @Sendable () async throws -> [ProbeRow]
    ) {
        self.storageArgument = storageArgument
        self.storage = storage
        self.folder = folder
        self.seed = seed
        self.rows = rows
        random = CrashGenerator(seed: seed)
    }

    private var effects: String { folder + "/effects" }

    /// What a run has seen.
    package struct Result: Sendable {
        /// How often a service was killed.
        package var kills = 0
        /// How many events there are to be handled.
        package var events = 0
        /// How often a service was told that what it held had been taken from it.
        package var refusals = 0
    }

    /// Runs services, each of which begins again when it has ended, and looks at what they have done after each `rounds`
    /// of them.
    ///
    /// - Parameters:
    ///   - groups: How often to look.
    ///   - rounds: How often each service ends in between.
    ///   - services: How many there are at a time. Where there are several, the subscriptions are watched while they run:
    ///     each has to go on within a minute, whatever happens.
    ///   - fates: How they end; one that is listed twice is twice as frequent.
    ///   - disturb: What else happens meanwhile, once for each group.
    package mutating func run(
        groups: Int,
        rounds: Int,
        services: Int,
        fates: [Fate],
        disturb: @escaping @Sendable () async throws -> Void = {}
    ) async throws -> Result {
        var result = Result()
        let all = groups * rounds * services
        var endings = (0..<all).map { fates[$0 % fates.count] }.shuffled(using: &random)[...]
        for group in 1...groups {
            let moment = "seed \(seed), group \(group) of \(groups)"
            let plans = (0..<services).map { _ in
                (0..<rounds).map { _ in (endings.removeLast(), Int.random(in: 2...30, using: &random)) }
            }
            let outcome = try await runAll(plans, moment, disturb)
            result.kills += outcome.kills
            result.refusals += outcome.refusals
            _ = try await check(moment)
        }
        let outcome = try await runProgram(
            at: builtProgram("CrashProbe"),
            [storageArgument, effects, "exact-drain", "member-0"],
            deadline: .seconds(150)
        )
        guard outcome.lines.last == "drained" else {
            throw CrashFailure("seed \(seed): the service that was left alone did not finish: \(outcome)")
        }
        result.events = try await checkEnd()
        return result
    }

    private func runAll(
        _ plans: [[(Fate, Int)]],
        _ moment: String,
        _ disturb: @escaping @Sendable () async throws -> Void
    ) async throws -> Result {
        let storage = storage
        let (isOver, isDisturbed) = (Flag(), Flag())
        return try await withThrowingTaskGroup(of: Void.self) { group in
            if plans.count > 1 {
                group.addTask { try await ProgressWatch(storage: storage).run(moment, until: isOver) }
            }
            group.addTask {
                defer { isDisturbed.set() }
                try await disturb()
            }
            let result = try await withThrowingTaskGroup(of: Result.self) { tasks in
                for (number, plan) in plans.enumerated() {
                    let arguments = [storageArgument, effects, "exact", "member-\(number)"]
                    tasks.addTask {
                        var result = Result()
                        for (fate, count) in plan {
                            try await Self.runOne(arguments, fate, after: count, moment, &result)
                        }
                        // What is to happen happens while there is work, however long it takes until it does.
                        while !isDisturbed.isSet {
                            try await Self.runOne(arguments, .leave, after: 10, moment, &result)
                        }
                        return result
                    }
                }
                return try await tasks.reduce(into: Result()) { sum, part in
                    sum.kills += part.kills
                    sum.refusals += part.refusals
                }
            }
            isOver.set()
            try await group.waitForAll()
            return result
        }
    }

    private static func runOne(
        _ arguments: [String],
        _ fate: Fate,
        after count: Int,
        _ moment: String,
        _ result: inout Result
    ) async throws {
        let outcome = try await withProgram(at: builtProgram("CrashProbe"), arguments, deadline: .seconds(90)) {
            service in
            let seen = try await service.lines(until: "ack ", count: count)
            switch fate {
            case .kill:
                try service.kill()
            case .leave:
                try await service.closeInput()
            case .stop:
                try service.send(SIGSTOP)
                try await Task.sleep(for: .milliseconds(3500))
                try service.send(SIGCONT)
                // It goes on appending, and handling what is its own then.
                _ = try await service.lines(until: "ack ", count: seen.count { $0.hasPrefix("ack ") } + 20)
                try service.kill()
            }
            return try await service.outcome()
        }
        result.refusals += outcome.lines.count { $0.hasPrefix("refused ") }
        if fate == .leave {
            guard outcome.exitCode == 0 else {
                throw CrashFailure("\(moment): a service that was told to end did not do so by itself: \(outcome)")
            }
        } else {
            result.kills += 1
        }
    }

    // MARK: - Checking

    /// The events, by offset: the id, and who wrote it; `nil` for what is filtered out.
    private struct Stream {
        var ids: [Int64: String] = [:]
        var writers: [Int64: String] = [:]
        var messageIDs: [MessageID] = []
    }

    private func readStream(_ streaming: EventStreaming) async throws -> Stream {
        struct Payload: Decodable { var key: String }
        var stream = Stream()
        var offset = StreamOffset.zero
        while true {
            let page = try await streaming.read(ProbeService.stream, from: offset, limit: 10_000)
            guard let last = page.last else { return stream }
            for event in page where event.type.name == ProbeEvent.eventType {
                guard case .encoded(let bytes) = event.payload else { continue }
                let key = try JSONDecoder().decode(Payload.self, from: Data(bytes)).key
                stream.ids[event.offset.rawValue] = "\(event.id)"
                stream.writers[event.offset.rawValue] = ProbeEvent.writer(of: key)
                stream.messageIDs.append(event.id)
            }
            offset = last.offset.advanced(by: 1)
        }
    }

    /// Looks at everything that must hold at any time.
    private mutating func check(_ moment: String) async throws -> (Stream, [ProbeRow]) {
        let store = try storage.makeStore(in: EventStreamingStorage.Environment(clock: SystemClock()))
        let streaming = try EventStreaming(storage: EventStreamingStorage { _ in store }) { streaming in
            ExactlyOnceService.declare(in: &streaming, as: "member-0", insert: { _, _, _ in }, effect: { _ in })
        }
        let stream = try await readStream(streaming)
        let rows = try await rows()
        var counts: [String: [Int64: Int]] = [:]
        for row in rows {
            guard stream.ids[row.place] == row.eventID else {
                throw CrashFailure("\(moment): \(row) is of no event that \(row.subscription) is to handle")
            }
            counts[row.subscription, default: [:]][row.place, default: 0] += 1
        }
        for (subscription, counts) in counts {
            for (place, count) in counts where count != 1 {
                throw CrashFailure("\(moment): \(subscription) has \(count) effects of the event at \(place)")
            }
        }
        try checkOrder(moment, rows, stream)
        try checkMarks(moment)
        let processor = ProcessorID(try SubscriptionID(ExactlyOnceService.marks), consumer: nil)
        let marked = Set(try await store.wasProcessed(stream.messageIDs, by: processor).map { "\($0)" })
        let offsets = stream.ids.filter { marked.contains($0.value) }.keys
        marks.append((try Self.lines(of: effects).count, Set(offsets)))
        return (stream, rows)
    }

    private func checkOrder(_ moment: String, _ rows: [ProbeRow], _ stream: Stream) throws {
        var last: [String: Int64] = [:]
        for row in rows.sorted(by: { $0.number < $1.number }) where row.subscription == ExactlyOnceService.ordered {
            let writer = stream.writers[row.place] ?? ""
            if let before = last[writer], before > row.place {
                throw CrashFailure("\(moment): the effect of \(row.place) by \(writer) came after that of \(before)")
            }
            last[writer] = row.place
        }
    }

    /// Nothing that had a mark was begun afterwards; nothing was begun again by a process that had ended it.
    private func checkMarks(_ moment: String) throws {
        var ended: Set<String> = []
        var known: Set<Int64> = []
        var next = marks[...]
        for (number, line) in try Self.lines(of: effects).enumerated() {
            while let mark = next.first, mark.lines <= number {
                known.formUnion(mark.offsets)
                next.removeFirst()
            }
            let words = line.split(separator: " ")
            guard words.count == 3, let offset = Int64(words[1]) else {
                throw CrashFailure("\(moment): the effects have a damaged line: \(line)")
            }
            if words[0] == "begin", known.contains(offset) {
                throw CrashFailure("\(moment): the event at \(offset) was marked, and is processed again")
            }
            if words[0] == "end", !ended.insert("\(words[1]) \(words[2])").inserted {
                throw CrashFailure("\(moment): process \(words[2]) has processed the event at \(offset) twice")
            }
        }
    }

    private mutating func checkEnd() async throws -> Int {
        let moment = "seed \(seed), at the end"
        let (stream, rows) = try await check(moment)
        for subscription in [ExactlyOnceService.transactions, ExactlyOnceService.ordered] {
            let places = Set(rows.lazy.filter { $0.subscription == subscription }.map(\.place))
            let missing = Set(stream.ids.keys).subtracting(places)
            guard missing.isEmpty else {
                throw CrashFailure("\(moment): \(subscription) has no effect of \(missing.sorted().prefix(10))")
            }
        }
        let marked = marks.last?.offsets ?? []
        guard marked == Set(stream.ids.keys) else {
            let missing = Set(stream.ids.keys).subtracting(marked)
            throw CrashFailure("\(moment): not marked are \(missing.sorted().prefix(10))")
        }
        return stream.ids.count
    }

    private static func lines(of path: String) throws -> [Substring] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
        return text.split(separator: "\n")
    }
}
