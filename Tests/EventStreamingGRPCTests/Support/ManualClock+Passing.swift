import EventStreamingTesting

extension ManualClock {
    /// Lets time pass as it does, until the task is cancelled.
    func passing() -> Task<Void, Never> {
        Task {
            while !Task.isCancelled {
                advance(by: .milliseconds(10))
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
    }
}
