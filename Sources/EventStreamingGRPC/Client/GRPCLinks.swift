import EventStreaming
import EventStreamingCore
import Logging
import Synchronization

/// Has one link to the server at any time: a link that has gone silent is dropped for a new one.
final class GRPCLinks: Sendable {
    private struct State: Sendable {
        var link: GRPCLink
        var isEnding = false
    }

    private let options: GRPCClientOptions
    private let clock: any EventStreamingClock
    private let logger: Logger
    private let state: Mutex<State>

    /// - Throws: `invalidConfiguration` for files of TLS that cannot be read.
    init(
        _ options: GRPCClientOptions,
        clock: any EventStreamingClock,
        logger: Logger
    ) throws(EventStreamingError) {
        self.options = options
        self.clock = clock
        self.logger = logger
        state = Mutex(State(link: try GRPCLink(options, clock: clock, logger: logger)))
    }

    /// The link over which calls go now.
    var current: GRPCLink { state.withLock { $0.link } }

    /// Keeps a link until ``end()`` was called and all calls are over, or the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            var link = current
            var failures = 0
            group.addTask { [link] in await link.run() }
            while let end = await link.waitForEnd() {
                if state.withLock({ $0.isEnding }) { return link.drop() }
                if end == .over {
                    failures += 1
                    await pause(failures)
                } else {
                    logger.warning(
                        "Nothing is heard from the server; it is connected anew.",
                        metadata: ["silence": "\(options.keepAliveInterval + options.keepAliveTimeout)"]
                    )
                }
                guard let next = makeLink() else {
                    failures += 1
                    await pause(failures)
                    continue
                }
                guard replace(with: next) else { return }
                link.drop()
                link = next
                if end == .silent {
                    failures = 0
                }
                group.addTask { [next] in await next.run() }
            }
        }
    }

    /// Begins no new calls; ``run()`` returns when those under way are over.
    func end() {
        let link = state.withLock { state in
            state.isEnding = true
            return state.link
        }
        link.end()
    }

    private func makeLink() -> GRPCLink? {
        do throws(EventStreamingError) {
            return try GRPCLink(options, clock: clock, logger: logger)
        } catch {
            logger.error("There can be no new connection; it is tried again.", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func replace(with link: GRPCLink) -> Bool {
        state.withLock { state in
            guard !state.isEnding else { return false }
            state.link = link
            return true
        }
    }

    private func pause(_ failures: Int) async {
        try? await clock.sleep(until: clock.uptime + options.reconnects.delay(beforeAttempt: failures))
    }
}
