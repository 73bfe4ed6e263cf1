import EventStreaming
import EventStreamingTesting

struct InvitationWorkflow: Workflow {}
struct MailWorkflow: Workflow {}

struct UserInvited: Event, Equatable {
    typealias Process = InvitationWorkflow
    var email: String
}

struct UserReminded: Event, Equatable {
    typealias Process = InvitationWorkflow
    var day: Int
}

/// Not `Equatable`.
struct NoteTaken: Event {
    typealias Process = InvitationWorkflow
    var text: String
}

struct MailSent: Event, Equatable {
    typealias Process = MailWorkflow
    var email: String
}

struct InvitationError: Error, Equatable {
    var reason: String
}

struct OtherError: Error {}

/// The description of the error that `body` throws, if it is an `E`.
func message<E: Error>(of type: E.Type, _ body: () async throws -> Void) async -> String? {
    do {
        try await body()
        return nil
    } catch {
        return error is E ? "\(error)" : nil
    }
}

extension EventStreamingBuilder {
    /// A subscription to the invitations.
    mutating func follow(
        _ name: String,
        _ mode: SubscriptionMode = .exclusive,
        _ recorder: DeliveryRecorder? = nil,
        _ configure: (inout SubscriptionConfiguration) -> Void = { _ in }
    ) {
        addSubscription(name) { subscription in
            subscription.stream(InvitationWorkflow.self)
            subscription.mode = mode
            subscription.retry.jitter = 0
            if let recorder {
                subscription.handle(recorder.record)
            }
            configure(&subscription)
        }
    }
}
