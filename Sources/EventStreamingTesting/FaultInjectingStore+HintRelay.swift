import EventStreamingCore

extension FaultInjectingStore {
    /// Stands between the wrapped store and an observer, and loses hints.
    final class HintRelay: StreamObserver {
        weak let observer: (any StreamObserver)?
        private weak let store: FaultInjectingStore?

        init(_ observer: any StreamObserver, store: FaultInjectingStore) {
            self.observer = observer
            self.store = store
        }

        func streamDidChange(_ stream: StreamName) {
            guard let store, store.passesHint() else { return }
            observer?.streamDidChange(stream)
        }
    }
}
