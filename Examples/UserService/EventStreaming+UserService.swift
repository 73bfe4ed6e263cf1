import EventStreaming
import Logging

extension EventStreaming {
    /// The streams, subscriptions and handlers of this service.
    static func userService(
        _ options: CommandLineOptions,
        storage: Storage,
        directory: Directory,
        logger: Logger
    ) throws -> EventStreaming {
        try EventStreaming(storage: storage.storage) { streaming in
            streaming.options.limits.maximumPayloadBytes = options.maximumPayloadBytes
            streaming.options.logger = logger
            streaming.options.unreadInterval = min(options.unreadTimeout / 4, .seconds(60))

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

            // Whose handler the engine runs, see `Billing`.
            streaming.addSubscription(Subscriptions.billing) { subscription in
                subscription.stream(UserWorkflow.self)
                subscription.mode = .exclusive
                subscription.consumer = options.member.map { "biller-\($0)" } ?? "biller"
                subscription.retry.initialDelay = .milliseconds(100)
                subscription.setLease(options.lease)
                subscription.charge(to: storage.charges)
            }
            // The others are loops in this program, see `Consumers`.
            streaming.addSubscription(Subscriptions.analytics) { subscription in
                subscription.stream(UserWorkflow.self)
                subscription.mode = .consumerGroup
                subscription.prefetch = 16  // few at a time: what a lost member held is handled again
                subscription.setLease(options.lease)
            }
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
            streaming.addSubscription(Subscriptions.adminNotifications) { subscription in
                subscription.stream(UserWorkflow.self)
                subscription.include(UserRemoved.self)
                subscription.mode = .readReceipt
                subscription.onUnreadTimeout = options.unreadTimeout
                subscription.onUnreadExpired = .requeue
                subscription.retry.maximumAttempts = 2  // one reminder, then the dead letters
            }
            streaming.addSubscription(Subscriptions.audit) { subscription in
                subscription.stream(UserWorkflow.self)
                subscription.start = .beginning
            }

            if options.grpcPort != nil {
                streaming.addSubscription(Subscriptions.userAnalytics) { subscription in
                    subscription.stream(UserWorkflow.self)
                    subscription.retry.initialDelay = .milliseconds(100)
                }
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

extension SubscriptionConfiguration {
    /// After how long a silence others take over what a consumer had.
    fileprivate mutating func setLease(_ lease: Duration) {
        consumerTimeout = lease
        visibilityTimeout = lease
    }
}
