import EventStreamingCore
import Synchronization

/// Passes a stream's hints on to the subscriptions that follow it.
final class StreamRouter: StreamObserver {
    private let bySubscription: [SubscriptionID: Signal]
    private let byStream: [StreamName: [Signal]]
    /// Those of subscriptions that are declared elsewhere, made when a consumer comes.
    private let elsewhere = Mutex<[SubscriptionID: Signal]>([:])

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
    func signal(of subscription: SubscriptionID) -> Signal {
        if let signal = bySubscription[subscription] { return signal }
        return elsewhere.withLock { signals in
            if let signal = signals[subscription] { return signal }
            let signal = Signal()
            signals[subscription] = signal
            return signal
        }
    }

    func wakeAll() {
        for signal in bySubscription.values {
            signal.notify()
        }
        for signal in elsewhere.withLock({ Array($0.values) }) {
            signal.notify()
        }
    }
}
