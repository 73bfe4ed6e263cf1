import EventStreamingCore
import Logging

/// What goes on in the background while a service runs: signs of life, giving back what abandoned consumers held,
/// ending what expired, and looking at the subscriptions' health, which gauges show.
struct Housekeeper: Sendable {
    let engine: Engine

    private static let longestInterval = Duration.seconds(5)
    /// How far apart looks at the health are at least, however short the subscriptions' timeouts.
    private static let healthInterval = Duration.seconds(1)

    /// Works until the service has stopped or the task is cancelled.
    @concurrent
    func run() async {
        var lastRound: Duration?
        var nextMeasurement = engine.clock.uptime
        while !Task.isCancelled, engine.lifecycle.phase < .stopped {
            let version = engine.abandonments.version
            await engine.releaseAbandoned()
            if lastRound.map({ engine.clock.uptime >= $0 + interval }) ?? true {
                await giveSignsOfLife()
                await expire()
                if engine.clock.uptime >= nextMeasurement {
                    nextMeasurement = engine.clock.uptime + Self.healthInterval
                    await measure()
                }
                lastRound = engine.clock.uptime
            }
            let nextRound = (lastRound ?? engine.clock.uptime) + interval
            await engine.abandonments.wait(since: version, until: nextRound, clock: engine.clock)
        }
    }

    /// The time between two rounds. Subscriptions that are declared elsewhere are known by their consumers.
    private var interval: Duration {
        var intervals = engine.plans.values.map(\.heartbeatInterval)
        if engine.reconnects != nil {
            intervals += engine.activeConsumers.map(\.plan.heartbeatInterval)
        }
        return min(intervals.min() ?? Self.longestInterval, Self.longestInterval)
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
        for plan in engine.plans.values {
            if let observation = await engine.health.observe(plan.definition, after: engine.preparation) {
                engine.telemetry.record(observation)
            }
        }
    }
}
