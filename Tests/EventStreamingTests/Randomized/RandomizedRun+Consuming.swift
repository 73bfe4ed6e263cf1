import EventStreaming

extension RandomizedRun {
    private static let expected: Set<EventStreamingError.Code> = [
        .consumerReplaced, .cancelled, .leaseExpired, .shuttingDown, .shutDown,
    ]

    /// Loops over a subscription, again and again, until the service ends.
    func consume(_ subscription: String, _ name: String, _ index: Int, _ streaming: EventStreaming) async {
        for _ in 0..<8 where !Task.isCancelled {
            // A task of its own, which may cancel itself.
            let isOver = await withTaskGroup(of: Bool.self) { group in
                group.addTask { await loop(subscription, name, index, streaming) }
                return await group.next() ?? true
            }
            if isOver { return }
        }
    }

    /// One loop; returns whether the service has ended.
    private func loop(_ subscription: String, _ name: String, _ index: Int, _ streaming: EventStreaming) async -> Bool {
        let position = subscription == "work" ? "work" : "\(subscription)/\(name)"
        do {
            for try await delivery in try streaming.subscribe(to: subscription, as: name) {
                book.delivered(delivery, at: position)
                let action = schedule.action(index, delivery)
                if case .replace = action {
                    try await replace(subscription, name, position, streaming)
                } else if try await !act(action, delivery, position) {
                    return false
                }
            }
            return true
        } catch let error as EventStreamingError {
            if !Self.expected.contains(error.code) { book.violate("\(position): \(error)") }
            return error.code == .shuttingDown || error.code == .shutDown
        } catch {
            return false
        }
    }

    /// Does something with a delivery; returns whether the loop goes on.
    private func act(_ action: Schedule.Action, _ delivery: Delivery, _ position: String) async throws -> Bool {
        switch action {
        case .pass, .replace:
            book.isDone(delivery, at: position)
        case .acknowledge:
            book.isDone(delivery, at: position)
            try await delivery.acknowledge()
            book.acknowledged(delivery, at: position)
        case .requeue:
            try await delivery.reject()
        case .retry(let delay):
            try await delivery.reject(.retry(after: delay))
        case .deadLetter:
            try await delivery.reject(.deadLetter)
            book.gaveUp(delivery, at: position)
        case .leave:
            return false
        case .fail:
            throw Failure()
        case .cancel:
            withUnsafeCurrentTask { $0?.cancel() }
            throw CancellationError()
        }
        return true
    }

    /// Takes over from the present loop with another consumer of the same name, which leaves soon.
    private func replace(
        _ subscription: String, _ name: String, _ position: String, _ streaming: EventStreaming
    ) async throws {
        try await streaming.withSubscription(to: subscription, as: name) { other in
            for try await delivery in other {
                book.delivered(delivery, at: position)
                book.isDone(delivery, at: position)
                try await delivery.acknowledge()
                book.acknowledged(delivery, at: position)
                break
            }
        }
        throw Failure()
    }
}
