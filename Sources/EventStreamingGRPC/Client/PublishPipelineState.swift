import DequeModule
import EventStreaming
import EventStreamingCore
import Synchronization

/// The appends that were not answered, in the order in which they came.
struct PublishPipelineState: Sendable {
    /// One append.
    struct Entry: Sendable {
        var request: AppendRequest
        var sequence: UInt64 = 0
        let size: Int
        let deadline: Duration
        private let answers: PublishAnswers
        private let index: Int

        init(_ request: AppendRequest, deadline: Duration, answers: PublishAnswers, index: Int) {
            self.request = request
            self.deadline = deadline
            self.answers = answers
            self.index = index
            size = request.size
        }

        func answer(_ result: Result<AppendResult, EventStreamingError>) {
            answers.set(index, result)
        }
    }

    /// How many appends, and how many bytes of them, may be sent without having been answered.
    private static let maximumSent = 1024
    private static let maximumSentBytes = 8 << 20

    var isEnding = false
    /// How many appends were answered.
    private(set) var answered = 0
    private var sent: Deque<Entry> = []
    private var sentBytes = 0
    private var waiting: Deque<Entry> = []
    private var sequence: UInt64 = 0

    var isEmpty: Bool { sent.isEmpty && waiting.isEmpty }

    /// - Returns: Why nothing is taken any more.
    mutating func add(_ entries: [Entry]) -> EventStreamingError? {
        guard !isEnding else { return EventStreamingError(.shuttingDown, "The client is shutting down.") }
        for var entry in entries {
            sequence += 1
            entry.sequence = sequence
            waiting.append(entry)
        }
        return nil
    }

    /// What may be sent now, and whether nothing comes after it.
    mutating func takeRequests() -> (requests: [AppendFrame], isEnd: Bool) {
        var requests: [AppendFrame] = []
        while let next = waiting.first, sent.count < Self.maximumSent,
            sent.isEmpty || sentBytes + next.size <= Self.maximumSentBytes
        {
            waiting.removeFirst()
            sent.append(next)
            sentBytes += next.size
            requests.append(AppendFrame(sequence: next.sequence, append: next.request))
        }
        return (requests, isEnding && waiting.isEmpty)
    }

    /// Has everything sent again that was not answered.
    mutating func sendAgain() {
        waiting.prepend(contentsOf: sent)
        sent.removeAll()
        sentBytes = 0
    }

    /// Takes in answers. Those to appends that are not waited for any more are passed over.
    mutating func take(_ results: [WirePublishResult]) -> [(Entry, Result<AppendResult, EventStreamingError>)] {
        var taken: [(Entry, Result<AppendResult, EventStreamingError>)] = []
        taken.reserveCapacity(results.count)
        for result in results {
            guard let index = sent.firstIndex(where: { $0.sequence == result.sequence }) else { continue }
            let entry = sent.remove(at: index)
            sentBytes -= entry.size
            answered += 1
            switch result.outcome {
            case .published(let response):
                taken.append((entry, AppendResult.made(response)))
            case .error(let error):
                taken.append((entry, .failure(EventStreamingError(answer: error).fromServer)))
            case nil:
                taken.append((entry, .failure(AppendResult.unreadable)))
            }
        }
        return taken
    }

    /// What was sent and not answered; nothing of it is sent again.
    mutating func takeSent() -> [Entry] {
        defer {
            sent.removeAll()
            sentBytes = 0
        }
        return Array(sent)
    }

    /// Everything.
    mutating func takeAll() -> [Entry] {
        isEnding = true
        defer { waiting.removeAll() }
        return takeSent() + waiting
    }

    /// What takes too long, and when to look again; `nil` when there is nothing.
    mutating func expire(now: Duration) -> (expired: [Entry], next: Duration?) {
        var expired: [Entry] = []
        while let entry = sent.first, entry.deadline <= now {
            sent.removeFirst()
            sentBytes -= entry.size
            expired.append(entry)
        }
        while let entry = waiting.first, entry.deadline <= now {
            waiting.removeFirst()
            expired.append(entry)
        }
        return (expired, [sent.first?.deadline, waiting.first?.deadline].compactMap { $0 }.min())
    }
}

/// Gathers the answers to appends that were made together.
final class PublishAnswers: Sendable {
    typealias Results = [Result<AppendResult, EventStreamingError>]

    private struct State {
        var results: [Result<AppendResult, EventStreamingError>?]
        var missing: Int
    }

    private let state: Mutex<State>
    private let continuation: CheckedContinuation<Results, Never>

    init(count: Int, _ continuation: CheckedContinuation<Results, Never>) {
        state = Mutex(State(results: Array(repeating: nil, count: count), missing: count))
        self.continuation = continuation
    }

    /// Notes an answer, each once; the last one resumes who waits.
    func set(_ index: Int, _ result: Result<AppendResult, EventStreamingError>) {
        let results = state.withLock { state -> Results? in
            guard state.results.indices.contains(index), state.results[index] == nil else { return nil }
            state.results[index] = result
            state.missing -= 1
            return state.missing == 0 ? state.results.compactMap { $0 } : nil
        }
        if let results {
            continuation.resume(returning: results)
        }
    }
}

extension AppendResult {
    static var unreadable: EventStreamingError {
        EventStreamingError(
            .storeUnavailable, "The server's answer cannot be read; the events may have been published.")
    }

    static func made(_ response: WirePublishResponse) -> Result<AppendResult, EventStreamingError> {
        guard let offsets = try? Range<StreamOffset>(response.offsets) else { return .failure(unreadable) }
        return .success(AppendResult(offsets: offsets, isDuplicate: response.isDuplicate))
    }
}
