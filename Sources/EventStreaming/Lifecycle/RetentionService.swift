import EventStreamingCore
import Logging

/// Removes in the background what the streams' retention policies ask for, and the marks of events that were processed
/// long ago.
///
/// Apart from the housekeeping, because removing much may take long, and signs of life cannot wait.
struct RetentionService: Sendable {
    let engine: Engine

    /// The streams that have a policy.
    var streams: [StreamName] { engine.streams.definitions.filter { !$0.retention.isForever }.map(\.name) }

    /// Whether there is anything to remove, now or ever.
    var hasWork: Bool { !streams.isEmpty || engine.marksEvents }

    /// Works until the service drains or the task is cancelled: at once, and then once in every interval. Does nothing
    /// where no stream has a policy, and nothing is marked.
    @concurrent
    func run() async {
        let streams = streams
        guard hasWork else { return }
        let changes = engine.lifecycle.changes
        while !Task.isCancelled {
            let version = changes.version
            guard !engine.lifecycle.isDraining else { return }
            let next = engine.clock.uptime + engine.options.retentionInterval
            for stream in streams {
                await apply(to: stream)
            }
            await engine.removeOldMarks()
            while engine.lifecycle.phase == .running, changes.version == version, engine.clock.uptime < next {
                await changes.wait(since: version, until: next, clock: engine.clock)
                if Task.isCancelled { return }
            }
        }
    }

    private func apply(to stream: StreamName) async {
        do throws(EventStreamingError) {
            _ = try await engine.applyRetention(to: stream)
        } catch  where error.code != .cancelled {
            engine.options.logger.warning(
                "The retention of a stream could not be applied; it is tried again.",
                metadata: [LogKey.stream: "\(stream)", LogKey.error: "\(error)"]
            )
        } catch {
            return
        }
    }
}

extension Engine {
    /// Removes what a stream's retention asks for, and tells about it.
    func applyRetention(to stream: StreamName) async throws(EventStreamingError) -> RetentionResult {
        let result = try await store.applyRetention(to: stream)
        telemetry.record(result, of: stream)
        if result.count > 0 {
            options.logger.debug(
                "The retention of a stream removed events.",
                metadata: [LogKey.stream: "\(stream)", "removed": "\(result.removed)"]
            )
        }
        for missed in result.missed {
            options.logger.warning(
                "The retention of a stream removed events that a subscription had not finished; it goes on after them.",
                metadata: [
                    LogKey.stream: "\(stream)", LogKey.subscription: "\(missed.subscription)",
                    "missed": "\(missed.count)", "removed": "\(result.removed)",
                ]
            )
        }
        return result
    }
}
