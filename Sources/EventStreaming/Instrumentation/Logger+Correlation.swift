import EventStreamingCore
import Logging

/// The names of log metadata, in one place.
enum LogKey {
    static let correlationID = "correlation.id"
    static let eventID = "event.id"
    static let eventType = "event.type"
    static let stream = "stream"
    static let subscription = "subscription"
    static let consumer = "consumer"
    static let offset = "offset"
    static let attempt = "attempt"
    static let error = "error"
    static let count = "count"
    static let actor = "actor"
}

extension Logger {
    /// A copy that says what everything belongs to.
    func correlated(by id: WorkflowID?) -> Logger {
        guard let id else { return self }
        var logger = self
        logger[metadataKey: LogKey.correlationID] = .string(id.rawValue)
        return logger
    }
}
