public import EventStreamingCore

/// Subscriptions did not finish in time.
public struct SettlingError: Error, Sendable {
    /// Why the wait ended.
    public enum Cause: Sendable, Hashable {
        /// The real time allowed ran out.
        case timedOut(Duration)
        /// The manual clock was advanced by all that was allowed.
        case clockExhausted(Duration)
        /// The service has shut down, so nothing will be finished any more.
        case shutDown
    }

    /// A position of a subscription that is not finished, and what is missing.
    public struct Unfinished: Sendable, Hashable {
        /// The subscription.
        public let subscription: SubscriptionID
        /// The consumer whose position it is; `nil` for the position that competing consumers share.
        public let consumer: ConsumerID?
        /// How many events there are from the position to the stream's end, finished out of turn or not.
        public let behind: Int
        /// Events held by consumers.
        public let inFlight: Int
        /// Events that wait to be delivered again.
        public let waiting: Int
        /// Whether anybody who could finish them is registered now.
        public let isConnected: Bool

        /// Creates a description.
        public init(
            subscription: SubscriptionID,
            consumer: ConsumerID? = nil,
            behind: Int,
            inFlight: Int = 0,
            waiting: Int = 0,
            isConnected: Bool
        ) {
            self.subscription = subscription
            self.consumer = consumer
            self.behind = behind
            self.inFlight = inFlight
            self.waiting = waiting
            self.isConnected = isConnected
        }
    }

    /// Why the wait ended.
    public let cause: Cause
    /// What is not finished, in order of the subscriptions' names.
    public let unfinished: [Unfinished]
    /// How far a ``ManualClock`` must be advanced before it wakes the next sleeper; `nil` for other clocks and when
    /// nobody sleeps.
    public let clockStep: Duration?
    /// The file of the call that waited.
    public let fileID: String
    /// The line of the call that waited.
    public let line: Int

    /// Creates an error.
    public init(
        cause: Cause,
        unfinished: [Unfinished],
        clockStep: Duration? = nil,
        fileID: String = #fileID,
        line: Int = #line
    ) {
        self.cause = cause
        self.unfinished = unfinished
        self.clockStep = clockStep
        self.fileID = fileID
        self.line = line
    }
}

extension SettlingError: CustomStringConvertible {
    /// Where, why, and a line for every position that is not finished.
    public var description: String {
        var text = "\(fileID):\(line): Not settled "
        switch cause {
        case .timedOut(let timeout): text += "within \(timeout)."
        case .clockExhausted(let limit): text += "although the clock was advanced by \(limit), the most allowed."
        case .shutDown: text += "when the service had shut down."
        }
        for position in unfinished {
            text += "\n  - \(position)"
        }
        if let clockStep, unfinished.contains(where: { $0.waiting > 0 && $0.isConnected }) {
            text += "\n  Retries wait for the ManualClock: advance it by \(clockStep) to its nextDeadline, "
            text += "or use settled(advancing:)."
        }
        return text
    }
}

extension SettlingError.Unfinished: CustomStringConvertible {
    /// The position, and what is missing.
    public var description: String {
        var parts: [String] = []
        if behind > 0 { parts.append("\(behind) behind") }
        if inFlight > 0 { parts.append("\(inFlight) in flight") }
        if waiting > 0 { parts.append("\(waiting) waiting to be delivered again") }
        if !isConnected { parts.append("no consumer connected") }
        let owner = consumer.map { ", consumer '\($0)'" } ?? ""
        return "subscription '\(subscription)'\(owner): \(parts.joined(separator: ", "))"
    }
}
