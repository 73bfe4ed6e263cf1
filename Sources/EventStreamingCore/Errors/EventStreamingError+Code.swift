extension EventStreamingError {
    /// What went wrong. New codes may be added; the text of a code never changes.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case invalidName, invalidArgument, invalidConfiguration, unsupported
            case unknownStream, unknownSubscription, unknownConsumer, unknownEvent, unknownEventType
            case streamConflict, subscriptionConflict, wrongExpectedVersion, eventIDConflict, streamFull, offsetTrimmed
            case idempotencyKeyConflict
            case replayNotEnabled
            case payloadTooLarge, headersTooLarge, encodingFailed, decodingFailed
            case leaseExpired, alreadySettled, consumerReplaced
            case notDelivered, receiptExpired
            case unauthenticated, permissionDenied, limitExceeded, handlerFailed
            case shuttingDown, shutDown, alreadyRunning, cancelled, timedOut, storeUnavailable, storeDamaged
        }

        private let value: Value

        /// The code as a stable text, for example `eventStreaming.streamFull`.
        public var description: String { "eventStreaming.\(value.rawValue)" }

        /// The code whose text this is, as received from another process; `nil` for one that is not known here.
        public init?(_ description: String) {
            let prefix = "eventStreaming."
            guard description.hasPrefix(prefix),
                let value = Value(rawValue: String(description.dropFirst(prefix.count)))
            else { return nil }
            self.value = value
        }

        private init(value: Value) {
            self.value = value
        }

        /// A name of a stream, subscription, consumer or workflow breaks the rules for names.
        public static let invalidName = Code(value: .invalidName)
        /// An argument is outside what is allowed, for example a negative limit.
        public static let invalidArgument = Code(value: .invalidArgument)
        /// The configuration has problems; all of them are in ``EventStreamingError/problems``.
        public static let invalidConfiguration = Code(value: .invalidConfiguration)
        /// This store or version cannot do what was asked.
        public static let unsupported = Code(value: .unsupported)
        /// No stream has this name.
        public static let unknownStream = Code(value: .unknownStream)
        /// No subscription has this name.
        public static let unknownSubscription = Code(value: .unknownSubscription)
        /// The consumer is not registered, was unregistered, or its time to live ran out.
        public static let unknownConsumer = Code(value: .unknownConsumer)
        /// The stream has no event with this id, or no longer.
        public static let unknownEvent = Code(value: .unknownEvent)
        /// Bytes of an event type that was not registered, so nothing can decode them.
        public static let unknownEventType = Code(value: .unknownEventType)
        /// A stream of this name exists with other properties.
        public static let streamConflict = Code(value: .streamConflict)
        /// A subscription of this name exists with other properties.
        public static let subscriptionConflict = Code(value: .subscriptionConflict)
        /// The stream is not at the expected version; ``EventStreamingError/actualLength`` has its length.
        public static let wrongExpectedVersion = Code(value: .wrongExpectedVersion)
        /// An event with the same id but another content is in the stream already.
        public static let eventIDConflict = Code(value: .eventIDConflict)
        /// Another command was sent with the same idempotency key.
        public static let idempotencyKeyConflict = Code(value: .idempotencyKeyConflict)
        /// The stream holds as many events as it may; consumers are behind.
        public static let streamFull = Code(value: .streamFull)
        /// The events asked for were trimmed.
        public static let offsetTrimmed = Code(value: .offsetTrimmed)
        /// The stream was not declared to be replayed.
        public static let replayNotEnabled = Code(value: .replayNotEnabled)
        /// The encoded event is larger than the limit.
        public static let payloadTooLarge = Code(value: .payloadTooLarge)
        /// The event's headers are more or larger than the limit.
        public static let headersTooLarge = Code(value: .headersTooLarge)
        /// The event cannot be encoded.
        public static let encodingFailed = Code(value: .encodingFailed)
        /// The stored bytes do not decode as the event's type.
        public static let decodingFailed = Code(value: .decodingFailed)
        /// The lease on the delivery ran out or was released; the event is or will be delivered again.
        public static let leaseExpired = Code(value: .leaseExpired)
        /// The delivery was acknowledged or rejected before.
        public static let alreadySettled = Code(value: .alreadySettled)
        /// Another consumer registered under the same name and took over.
        public static let consumerReplaced = Code(value: .consumerReplaced)
        /// The event was not delivered to this user, so it cannot have been read.
        public static let notDelivered = Code(value: .notDelivered)
        /// The time for reading the event has passed.
        public static let receiptExpired = Code(value: .receiptExpired)
        /// It is not known who asks: the credentials are missing, wrong or expired.
        public static let unauthenticated = Code(value: .unauthenticated)
        /// Who asks may not do this.
        public static let permissionDenied = Code(value: .permissionDenied)
        /// A limit on how much one side may ask of the other was passed, for example on open calls.
        public static let limitExceeded = Code(value: .limitExceeded)
        /// A handler in another process failed with an error of its own, which only that process's log tells.
        public static let handlerFailed = Code(value: .handlerFailed)
        /// The service is shutting down and starts nothing new.
        public static let shuttingDown = Code(value: .shuttingDown)
        /// The service has shut down.
        public static let shutDown = Code(value: .shutDown)
        /// `run()` was called a second time.
        public static let alreadyRunning = Code(value: .alreadyRunning)
        /// The task was cancelled; nothing was changed.
        public static let cancelled = Code(value: .cancelled)
        /// The deadline passed first.
        public static let timedOut = Code(value: .timedOut)
        /// The store cannot be reached at the moment.
        public static let storeUnavailable = Code(value: .storeUnavailable)
        /// What the store finds on disk is not what it wrote: somebody has to look at it, and perhaps restore a backup.
        public static let storeDamaged = Code(value: .storeDamaged)

        var isRetriable: Bool {
            switch value {
            case .streamFull, .storeUnavailable, .timedOut: true
            default: false
            }
        }
    }
}
