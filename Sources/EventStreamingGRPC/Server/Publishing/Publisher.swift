import EventStreaming
import EventStreamingCore

/// Makes the appends of a peer, as far as it may.
struct Publisher: Sendable {
    let server: ServerEnvironment
    let identity: PeerIdentity
    let ids: MessageIDGenerator

    /// The most events in one append.
    private static let maximumEvents = 10_000

    /// One result for each request, in order; what can be made is made together.
    func publish(_ requests: [AppendRequest]) async -> [Result<AppendResult, EventStreamingError>] {
        var results: [Result<AppendResult, EventStreamingError>?] = Array(repeating: nil, count: requests.count)
        var appends: [StreamAppend] = []
        var positions: [Int] = []
        appends.reserveCapacity(requests.count)
        positions.reserveCapacity(requests.count)
        // One call in a row mostly goes to one stream: it is asked for once.
        var known: [String: Result<StreamName, EventStreamingError>] = [:]
        for (position, request) in requests.enumerated() {
            do throws(EventStreamingError) {
                appends.append(try append(request, to: try await stream(request.stream, &known)))
                positions.append(position)
            } catch {
                results[position] = .failure(error)
            }
        }
        if !appends.isEmpty {
            for (index, result) in await server.provider.publish(appends).enumerated() where index < positions.count {
                results[positions[index]] = result
            }
        }
        return results.map { $0 ?? .failure(.internalError) }
    }

    private func stream(
        _ name: String,
        _ known: inout [String: Result<StreamName, EventStreamingError>]
    ) async throws(EventStreamingError) -> StreamName {
        if let known = known[name] { return try known.get() }
        let result: Result<StreamName, EventStreamingError>
        do throws(EventStreamingError) {
            let stream = try StreamName(name)
            try await server.access.authorize(identity, .publish(stream))
            result = .success(stream)
        } catch {
            result = .failure(error)
        }
        known[name] = result
        return try result.get()
    }

    private func append(
        _ request: AppendRequest,
        to stream: StreamName
    ) throws(EventStreamingError) -> StreamAppend {
        guard request.count <= Self.maximumEvents else {
            throw EventStreamingError(
                .invalidArgument,
                "\(request.count) events in one append; at most \(Self.maximumEvents) are possible."
            )
        }
        var append = StreamAppend(
            stream: stream,
            events: [],
            expectedVersion: try ExpectedVersion(request.expectedVersion)
        )
        switch request.events {
        case .direct(let events):
            append.events = events
        case .wire(let events):
            append.events.reserveCapacity(events.count)
            for event in events {
                append.events.append(try NewEvent(event) { ids.next() })
            }
        }
        return append
    }
}
