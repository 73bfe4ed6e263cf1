import EventStreaming
import EventStreamingCore
import Logging
import Synchronization

extension SubscribeCall {
    /// Gives signs of life for the peer as long as it gives some. Returns when the call has to end although the worker may be
    /// stuck.
    func keepTime() async {
        let began = server.clock.uptime
        var nextRound: Duration?
        while !Task.isCancelled {
            let version = turns.version
            if state.withLock({ $0.hasEnded }) {
                // The worker may be writing to a peer that does not read: it gets a little while to say good-bye.
                return await waitForGoodbye()
            }
            let now = server.clock.uptime
            if let ending = overdue(now, since: began) {
                end(ending)
                continue
            }
            if nextRound == nil, let consumer = connection {
                nextRound = now + heartbeatInterval(consumer)
            }
            if let round = nextRound, now >= round, let consumer = connection {
                state.withLock { $0.round() }
                changes.notify()
                await giveSignOfLife(consumer)
                nextRound = now + heartbeatInterval(consumer)
                continue
            }
            await turns.wait(since: version, until: deadline(nextRound, since: began), clock: server.clock)
        }
    }

    private func waitForGoodbye() async {
        try? await server.clock.sleep(until: server.clock.uptime + server.options.closeTimeout)
    }

    private var silenceLimit: Duration {
        (connection.map(heartbeatInterval) ?? server.options.heartbeatInterval) * 3
    }

    private func deadline(_ nextRound: Duration?, since began: Duration) -> Duration {
        let round = min(nextRound ?? began + server.options.openTimeout, state.withLock { $0.lastSeen } + silenceLimit)
        guard let expiry = identity.expiresAt else { return round }
        return min(round, server.clock.uptime + (expiry - server.clock.now))
    }

    /// Why the call has to end now, if it has.
    private func overdue(_ now: Duration, since began: Duration) -> SubscribeState.Ending? {
        if let expiry = identity.expiresAt, server.clock.now >= expiry {
            return SubscribeState.Ending(
                reason: .denied,
                error: EventStreamingError(
                    .unauthenticated, "The credentials have expired; connect again with new ones.")
            )
        }
        if connection == nil {
            guard now >= began + server.options.openTimeout else { return nil }
            return SubscribeState.Ending(
                reason: .timedOut,
                error: EventStreamingError(.timedOut, "No Open frame came in time.")
            )
        }
        guard now >= state.withLock({ $0.lastSeen }) + silenceLimit else { return nil }
        return SubscribeState.Ending(
            reason: .timedOut,
            error: EventStreamingError(.timedOut, "The peer gave no sign of life for \(silenceLimit)."),
            releases: false
        )
    }

    private func giveSignOfLife(_ consumer: any DeliveryConsumer) async {
        let extensions = state.withLock { $0.takeExtensions() }
        do throws(EventStreamingError) {
            try await consumer.heartbeat(extending: extensions.isEmpty ? .none : .only(extensions))
            let now = server.clock.uptime
            state.withLock { $0.extended(extensions, until: now + consumer.terms.visibilityTimeout, now: now) }
        } catch {
            switch error.code {
            case .consumerReplaced:
                end(SubscribeState.Ending(reason: .replaced, error: error))
            case .unknownConsumer:
                end(SubscribeState.Ending(reason: .timedOut, error: error))
            default:
                // Repeated at the next round; a store that stays away ends the worker's next call.
                server.logger.debug("A sign of life failed; it is repeated.", metadata: ["error": "\(error)"])
            }
        }
    }
}
