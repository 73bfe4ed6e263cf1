import EventStreamingCore
import Logging

/// Runs the background work of a service, and ends it in order.
struct ServiceRunner: Sendable {
    let engine: Engine

    /// Returns when the service has drained, or the task was cancelled and everything was given back.
    func run() async {
        engine.announceExactlyOnce()
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await Housekeeper(engine: engine).run()
                return false
            }
            group.addTask {
                await RetentionService(engine: engine).run()
                return false
            }
            group.addTask {
                await UnreadService(engine: engine).run()
                return false
            }
            group.addTask {
                await runHandlers()
                await waitForLoops()
                return true
            }
            group.addTask {
                await waitForDeadline()
                return true
            }
            // The end of the handlers after draining began, or the deadline, whichever is first.
            for await isEnd in group where isEnd {
                break
            }
            engine.lifecycle.drain()
            engine.wakeAll()
            await releaseEverything()
            engine.lifecycle.stop()
            engine.wakeAll()
            group.cancelAll()
        }
    }

    private func runHandlers() async {
        await withDiscardingTaskGroup { group in
            for plan in engine.plans.values {
                guard plan.hasHandler else { continue }
                group.addTask {
                    await HandlerRunner(plan: plan, engine: engine).run()
                }
            }
        }
    }

    /// Waits for the service to drain, and then for the loops of others to have noticed.
    private func waitForLoops() async {
        while !Task.isCancelled {
            let lifecycle = engine.lifecycle.changes.version
            if engine.lifecycle.isDraining { break }
            await engine.lifecycle.changes.wait(since: lifecycle)
        }
        while !Task.isCancelled {
            let version = engine.activity.version
            await engine.releaseAbandoned()
            if engine.activeConsumers.isEmpty { return }
            await engine.activity.wait(since: version)
        }
    }

    private func waitForDeadline() async {
        while !Task.isCancelled, !engine.lifecycle.isDraining {
            let version = engine.lifecycle.changes.version
            if engine.lifecycle.isDraining { break }
            await engine.lifecycle.changes.wait(since: version)
        }
        try? await engine.clock.sleep(until: engine.clock.uptime + engine.options.shutdownTimeout)
        if !Task.isCancelled {
            engine.options.logger.warning("The shutdown timeout passed; handlers that still run are cancelled.")
        }
    }

    /// Gives back what consumers still hold; also in a cancelled task.
    private func releaseEverything() async {
        await engine.releaseAbandoned()
        for consumer in engine.activeConsumers {
            await consumer.close(countsAttempt: false)
        }
    }
}
