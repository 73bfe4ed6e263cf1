import EventStreaming

extension Directory {
    /// Learns from the history who is a user. Invitations are not in any history: they are a queue of work.
    func restore(from streaming: EventStreaming) async throws {
        for try await replayed in try await streaming.replay(UserWorkflow.streamName) {
            guard let id = replayed.record.correlationID else { continue }
            switch try replayed.event {
            case let event as UserAdded: try addUser(id, email: event.email)
            case is UserRemoved: _ = try removeUser(id)
            default: continue
            }
        }
    }
}
