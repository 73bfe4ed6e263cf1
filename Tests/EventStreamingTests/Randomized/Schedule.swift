import EventStreaming

/// Everything that one randomised run decides, made of its seed.
struct Schedule: Sendable {
    /// What a consumer does with a delivery.
    enum Action: Sendable {
        case pass, acknowledge, requeue, deadLetter, leave, fail, cancel, replace
        case retry(Duration)
    }

    let seed: UInt64
    let type: StreamType
    let generations: Int
    let publishers: Int
    let batches: Int
    let prefetch: Int
    let concurrency: Int
    let maximumAttempts: Int
    let visibilityTimeout: Duration

    init(seed: UInt64) {
        var chance = Chance(seed: seed)
        self.seed = seed
        type = chance.happens(50) ? .ephemeral : .persistent
        generations = chance.number(1...3)
        publishers = chance.number(1...3)
        batches = chance.number(1...6)
        prefetch = chance.number(1...12)
        concurrency = chance.number(1...3)
        maximumAttempts = chance.number(2...5)
        visibilityTimeout = chance.happens(25) ? .milliseconds(300) : .seconds(30)
    }

    func action(_ consumer: Int, _ delivery: Delivery) -> Action {
        var chance = Chance(seed: seed, [Int64(consumer), delivery.record.offset.rawValue, Int64(delivery.attempt)])
        switch chance.number(1...100) {
        case ...55: return .pass
        case ...70: return .acknowledge
        case ...76: return .requeue
        case ...82: return .retry(.milliseconds(chance.number(0...400)))
        case ...85: return .deadLetter
        case ...89: return .leave
        case ...93: return .fail
        case ...96: return .cancel
        default: return .replace
        }
    }

    /// Whether a handler fails at a delivery.
    func fails(_ delivery: Delivery) -> Bool {
        var chance = Chance(seed: seed, [-1, delivery.record.offset.rawValue, Int64(delivery.attempt)])
        return chance.happens(20)
    }

    func configure(_ subscription: inout SubscriptionConfiguration) {
        subscription.stream(OrderWorkflow.self)
        subscription.prefetch = prefetch
        subscription.visibilityTimeout = visibilityTimeout
        subscription.retry.maximumAttempts = maximumAttempts
        subscription.retry.initialDelay = .milliseconds(100)
        subscription.retry.maximumDelay = .seconds(1)
    }
}
