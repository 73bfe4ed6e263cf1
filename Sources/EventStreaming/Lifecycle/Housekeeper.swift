import EventStreamingCore
import Logging

/// What goes on in the background while a service runs: signs of life, giving back what abandoned consumers held,
/// ending what expired, and gauges.
struct Housekeeper: Sendable {
    let engine: Engine

    private static let longestInterval = Duration.seconds(5)

    /// Works until the service has stopped or the task is cancelled.
    @concurrent
    func run() async {
        let interval = engine.plans.values.map(\.heartbeatInterval).min() ?? Self.longestInterval
        var nextRound = engine.clock.uptime
        while !Task.isCancelled, engine.lifecycle.phase < .stopped {
            let version = engine.abandonments.version
            await engine.releaseAbandoned()
            if engine.clock.uptime >= nextRound {
                await giveSignsOfLife()
                await expire()
                await measure()
                nextRound = engine.clock.uptime + min(interval, Self.longestInterval)
            }
            await engine.abandonments.wait(since: version, until: nextRound, clock: engine.clock)
        }
    }

    private func giveSignsOfLife() async {
        for consumer in engine.activeConsumers {
            do throws(EventStreamingError) {
                try await consumer.heartbeat()
            } catch {
                engine.options.logger.debug(
                    "A heartbeat failed; it is repeated.",
                    metadata: [
                        LogKey.consumer: "\(consumer.id)",
                        LogKey.error: "\(error)",
                    ]
                )
            }
        }
    }

    private func expire() async {
        do throws(EventStreamingError) {
            for expired in try await engine.store.expireConsumers() {
                engine.options.logger.info(
                    "A consumer gave no sign of life and was removed; what it held is delivered to others.",
                    metadata: [
                        LogKey.subscription: "\(expired.subscription)",
                        LogKey.consumer: "\(expired.consumer)",
                    ]
                )
            }
        } catch {
            engine.options.logger.debug("Expired consumers could not be removed.", metadata: [LogKey.error: "\(error)"])
        }
    }

    private func measure() async {
        guard engine.telemetry.isMeasuring else { return }
        for plan in engine.plans.values {
            if let positions = try? await engine.store.progress(of: plan.definition.id) {
                engine.telemetry.record(positions, of: plan.definition.id)
            }
        }
    }
}
