import CrashTesting
import EventStreaming
import Logging

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

extension Main {
    /// Appends and handles exactly once, and redrives what was given up while it does.
    static func runExactlyOnce(
        _ store: ProbeStore,
        _ effects: EffectsFile,
        as member: String,
        drains: Bool
    ) async throws {
        let process = getpid()
        let streaming = try EventStreaming(storage: store.storage) { streaming in
            streaming.options.logger = Logger(label: "probe") { _ in RefusalLog() }
            ExactlyOnceService.declare(in: &streaming, as: member) { subscription, delivery, transaction in
                try ProbeStore.insert(subscription, delivery, transaction)
            } effect: { delivery in
                let place = delivery.record.offset.rawValue
                try effects.write("begin \(place) \(process)")
                await Task.yield()
                try effects.write("end \(place) \(process)")
            }
        }
        // A service does not start while its store is away.
        try await untilAvailable { _ = try await streaming.metadata(of: ProbeService.stream) }
        try await withEventStreaming(streaming) { streaming in
            if drains {
                try await drain(streaming, ExactlyOnceService.subscriptions) { try await redrive(streaming) }
                print("drained")
            } else {
                try await appendAndRedrive(streaming)
            }
        }
    }

    private static func appendAndRedrive(_ streaming: EventStreaming) async throws {
        let isDone = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { isDone.set() }
                try await append(to: streaming)
            }
            group.addTask {
                var round = 0
                while !isDone.isSet {
                    round += 1
                    try await tolerating {
                        _ = try await redrive(streaming)
                        _ = try await streaming.emitter.emit(ProbeNoise(key: "noise-\(round)"))
                    }
                    try await Task.sleep(for: .milliseconds(30))
                }
            }
            try await group.waitForAll()
        }
    }

    /// - Returns: Whether anything was given up that is not done yet.
    private static func redrive(_ streaming: EventStreaming) async throws -> Bool {
        try await streaming.redriveDeadLetters(of: ExactlyOnceService.transactions) > 0
    }

    /// Does something that may fail while the store is away.
    private static func tolerating(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as EventStreamingError where error.isRetriable {
            say("unknown \(error.code)")
        }
    }

    // MARK: - A handler that ends the process

    /// Handles some events; one of them ends the process.
    static func runTrap(_ store: ProbeStore, _ effects: EffectsFile) async throws {
        let streaming = try EventStreaming(storage: store.storage) { streaming in
            TrapService.declare(in: &streaming) { delivery in
                let place = delivery.record.offset.rawValue
                try effects.write("begin \(place) \(delivery.attempt)")
                if place == TrapService.trap { fatalError("on purpose") }
                try effects.write("end \(place) \(delivery.attempt)")
            }
        }
        try await withEventStreaming(streaming) { streaming in
            if try await streaming.metadata(of: ProbeService.stream).count == 0 {
                try await streaming.emitter.emit((0..<TrapService.count).map { ProbeEvent(key: "trap-\($0)") })
            }
            try await drain(streaming, [TrapService.subscription])
            print("drained")
        }
    }
}

/// Says on standard output when what the service held was taken from it.
private struct RefusalLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let text = "\(event.message)"
        if text.contains("lease had ended") || text.contains("registration had expired") {
            Main.say("refused \(text)")
        }
    }
}
