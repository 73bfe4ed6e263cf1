import EventStreamingCore

/// Passes a stream's hints on to the subscriptions that follow it.
final class StreamRouter: StreamObserver {
    private let bySubscription: [SubscriptionID: Signal]
    private let byStream: [StreamName: [Signal]]
    private let unknown = Signal()

    init(_ subscriptions: [SubscriptionDefinition]) {
        var bySubscription: [SubscriptionID: Signal] = [:]
        var byStream: [StreamName: [Signal]] = [:]
        for subscription in subscriptions {
            let signal = Signal()
            bySubscription[subscription.id] = signal
            byStream[subscription.stream, default: []].append(signal)
        }
        self.bySubscription = bySubscription
        self.byStream = byStream
    }

    func streamDidChange(_ stream: StreamName) {
        guard let signals = byStream[stream] else { return }
        for signal in signals {
            signal.notify()
        }
    }

    /// What consumers of a subscription wait for.
    func signal(of subscription: SubscriptionID) -> Signal { bySubscription[subscription] ?? unknown }

    func wakeAll() {
        for signal in bySubscription.values {
            signal.notify()
        }
    }
}
