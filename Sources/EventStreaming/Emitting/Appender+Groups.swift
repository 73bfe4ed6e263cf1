import EventStreamingCore

extension Appender {
    /// Makes appends that came from outside as a group, each with its own result.
    ///
    /// Only declared streams: nobody may write into dead letters from outside.
    func append(_ group: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        var results: [Result<AppendResult, EventStreamingError>?] = Array(repeating: nil, count: group.count)
        var accepted: [StreamAppend] = []
        var positions: [Int] = []
        accepted.reserveCapacity(group.count)
        positions.reserveCapacity(group.count)
        for (position, append) in group.enumerated() {
            do throws(EventStreamingError) {
                accepted.append(try checked(append))
                positions.append(position)
            } catch {
                results[position] = .failure(error)
            }
        }
        if !accepted.isEmpty {
            for (index, result) in await commit(accepted).enumerated() where index < positions.count {
                results[positions[index]] = result
            }
        }
        return results.map { $0 ?? .failure(EventStreamingError(.storeUnavailable, "The store gave no result.")) }
    }

    private func commit(_ group: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>] {
        do throws(EventStreamingError) {
            try await preparation.ready()
        } catch {
            return group.map { _ in .failure(error) }
        }
        guard telemetry.isObserving else { return await store.append(group) }
        let spans = group.map { telemetry.startSend(to: $0.stream, count: $0.events.count) }
        let results = await store.append(group)
        for (index, result) in results.enumerated() where index < spans.count {
            let (append, error) = (group[index], result.error)
            telemetry.endSend(spans[index], to: append.stream, count: append.events.count, error: error)
        }
        return results
    }

    /// The append, within the limits and in the form that the store wants.
    private func checked(_ append: StreamAppend) throws(EventStreamingError) -> StreamAppend {
        guard streams.definitions.contains(where: { $0.name == append.stream }) else {
            throw .unknownStream(append.stream)
        }
        var append = append
        for index in append.events.indices {
            let event = append.events[index]
            try payloads.check(headers: event.context.headers)
            switch event.payload {
            case .encoded(let bytes):
                try payloads.check(bytes.count, of: event.type.name)
            case .value(let value):
                let (payload, size) = try payloads.payload(value)
                payloads.learn(event.type, from: value)
                append.events[index] = NewEvent(
                    id: event.id,
                    type: event.type,
                    payload: payload,
                    size: size,
                    context: event.context
                )
            }
        }
        return append
    }
}

extension Result {
    fileprivate var error: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
