import EventStreaming
import Synchronization

/// What happened at one position: the shared one of a subscription, or a consumer's.
struct Page: Sendable {
    var delivered: [(offset: Int64, attempt: Int)] = []
    /// What a consumer was about to say is finished; the store cannot know before.
    var done: Set<Int64> = []
    /// What the store confirmed as finished, with the attempt.
    var acknowledged: [Int64: Int] = [:]
    /// What the store confirmed as given up on demand, with the attempt.
    var givenUp: [Int64: Int] = [:]
}

/// Writes down what consumers see and do in one run, and what of it must not be.
final class Book: Sendable {
    private struct State {
        var pages: [String: Page] = [:]
        var violations: [String] = []
    }

    private let state = Mutex(State())
    private let maximumAttempts: Int

    init(maximumAttempts: Int) {
        self.maximumAttempts = maximumAttempts
    }

    var violations: [String] { state.withLock { $0.violations } }

    func page(_ position: String) -> Page { state.withLock { $0.pages[position] ?? Page() } }

    func violate(_ text: String) {
        state.withLock { $0.violations.append(text) }
    }

    func delivered(_ delivery: Delivery, at position: String) {
        let (offset, attempt) = (delivery.record.offset.rawValue, delivery.attempt)
        state.withLock { state in
            state.pages[position, default: Page()].delivered.append((offset, attempt))
            if !(1...maximumAttempts).contains(attempt) {
                state.violations.append("\(position): \(offset) is delivered as attempt \(attempt)")
            }
            // A consumer that was replaced may hand out old deliveries, but nothing is delivered anew.
            let page = state.pages[position]
            if let finished = page?.acknowledged[offset] ?? page?.givenUp[offset], attempt > finished {
                state.violations.append("\(position): \(offset) is delivered after it was settled")
            }
        }
    }

    func isDone(_ delivery: Delivery, at position: String) {
        _ = state.withLock { $0.pages[position, default: Page()].done.insert(delivery.record.offset.rawValue) }
    }

    func acknowledged(_ delivery: Delivery, at position: String) {
        state.withLock { state in
            let offset = delivery.record.offset.rawValue
            let old = state.pages[position, default: Page()].acknowledged.updateValue(delivery.attempt, forKey: offset)
            if old != nil { state.violations.append("\(position): \(offset) was acknowledged twice") }
        }
    }

    func gaveUp(_ delivery: Delivery, at position: String) {
        state.withLock { state in
            let offset = delivery.record.offset.rawValue
            let old = state.pages[position, default: Page()].givenUp.updateValue(delivery.attempt, forKey: offset)
            if old != nil {
                state.violations.append("\(position): \(offset) was given up twice")
            }
        }
    }
}

// MARK: - Checking

extension Book {
    /// At any time: everything before a watermark is finished or a dead letter.
    func checkWatermarks(of subscription: String, in streaming: EventStreaming) async throws {
        let positions = try await streaming.progress(of: subscription)
        let letters = try await streaming.deadLetters(of: subscription, limit: 10_000)
        for progress in positions {
            let name = Self.name(subscription, progress.consumer)
            let dead = Set(letters.filter { $0.consumer == progress.consumer }.map(\.event.offset.rawValue))
            let done = page(name).done
            for offset in 0..<progress.position.rawValue where !done.contains(offset) && !dead.contains(offset) {
                violate("\(name): the watermark \(progress.position) is past \(offset), which nobody finished")
            }
        }
    }

    /// At the end: every event is finished or exactly one dead letter, as was recorded.
    func checkEnd(of subscription: String, in streaming: EventStreaming) async throws {
        let letters = try await streaming.deadLetters(of: subscription, limit: 10_000)
        for progress in try await streaming.progress(of: subscription) {
            let name = Self.name(subscription, progress.consumer)
            if !progress.isFinished { violate("\(name): not finished: \(progress)") }
            let page = page(name)
            let own = letters.filter { $0.consumer == progress.consumer }
            let dead = Dictionary(grouping: own, by: \.event.offset.rawValue)
            for offset in 0..<progress.head.rawValue {
                let count = dead[offset]?.count ?? 0
                if count > 1 { violate("\(name): \(offset) is \(count) dead letters") }
                if count == 0, !page.done.contains(offset) { violate("\(name): \(offset) is lost") }
                if count > 0, page.acknowledged[offset] != nil {
                    violate("\(name): \(offset) is acknowledged and a dead letter")
                }
                if count == 0, page.givenUp[offset] != nil {
                    violate("\(name): \(offset) was given up, but is no dead letter")
                }
            }
            for letter in own where !(1...maximumAttempts).contains(letter.attempts) {
                violate("\(name): dead letter \(letter.event.offset) after \(letter.attempts) attempts")
            }
            for letter in own where letter.attempts < maximumAttempts {
                if page.givenUp[letter.event.offset.rawValue] == nil {
                    violate("\(name): \(letter.event.offset) was given up after \(letter.attempts) attempts")
                }
            }
        }
    }

    /// First deliveries come in the order of the stream.
    func checkOrder(at position: String) {
        var seen: Set<Int64> = []
        var last: Int64 = -1
        let delivered = page(position).delivered
        for (offset, _) in delivered where seen.insert(offset).inserted {
            if offset < last {
                let trail = delivered.map { "\($0.offset)(\($0.attempt))" }.joined(separator: " ")
                violate("\(position): \(offset) is delivered for the first time after \(last), in \(trail)")
            }
            last = offset
        }
    }

    /// At most once.
    func checkAtMostOnce(at position: String) {
        let delivered = page(position).delivered
        for (offset, deliveries) in Dictionary(grouping: delivered, by: \.offset) where deliveries.count > 1 {
            violate("\(position): \(offset) is delivered \(deliveries.count) times at most once")
        }
        for (offset, attempt) in delivered where attempt != 1 {
            violate("\(position): \(offset) is attempt \(attempt) at most once")
        }
    }

    static func name(_ subscription: String, _ consumer: ConsumerID?) -> String {
        consumer.map { "\(subscription)/\($0)" } ?? subscription
    }
}
