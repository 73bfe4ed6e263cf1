import EventStreaming
import Logging

extension EventStreaming {
    /// The streams, subscriptions and handlers of this service.
    static func userService(
        storage: EventStreamingStorage,
        maximumPayloadBytes: Int,
        directory: Directory,
        journal: Journal,
        logger: Logger
    ) throws -> EventStreaming {
        try EventStreaming(storage: storage) { streaming in
            streaming.options.limits.maximumPayloadBytes = maximumPayloadBytes
            streaming.options.logger = logger

            streaming.addStream(UserWorkflow.self) { stream in
                stream.type = .persistent
                stream.isReplayEnabled = true
            }
            streaming.addStream(InvitationWorkflow.self)  // ephemeral, as streams are by default
            // What an earlier run has left can be read, too.
            streaming.addEvent(UserAdded.self)
            streaming.addEvent(UserRemoved.self)
            streaming.addEvent(UserInvited.self)
            streaming.addEvent(InvitationAccepted.self)
            streaming.addEvent(InvitationDeclined.self)

            // A handler: the engine runs it, with retries, for as long as the service runs.
            streaming.addSubscription(Subscriptions.userAnalytics) { subscription in
                subscription.stream(UserWorkflow.self)
                subscription.consumer = "analytics"
                subscription.handle { delivery in
                    journal.finished(delivery)
                }
            }
            // The others are loops in this program, see `Consumers`.
            streaming.addSubscription(Subscriptions.invitationAnalytics) { subscription in
                subscription.stream(InvitationWorkflow.self)
            }
            streaming.addSubscription(Subscriptions.mail) { subscription in
                subscription.stream(InvitationWorkflow.self)
                subscription.mode = .exclusive
                subscription.prefetch = 4  // few at a time, so that both mailers get their share
                subscription.retry.maximumAttempts = 4
                subscription.retry.initialDelay = .milliseconds(10)
                subscription.retry.maximumDelay = .milliseconds(50)
            }
            streaming.addSubscription(Subscriptions.audit) { subscription in
                subscription.stream(UserWorkflow.self)
                subscription.start = .beginning
            }

            streaming.commands.use(UnitOfWorkMiddleware())
            streaming.commands.add(AddUserHandler(directory: directory))
            streaming.commands.add(RemoveUserHandler(directory: directory))
            streaming.commands.add(InviteUserHandler(directory: directory))
            streaming.commands.add(AcceptInvitationHandler(directory: directory))
            streaming.commands.add(DeclineInvitationHandler(directory: directory))
        }
    }
}
