extension ManualClock {
    /// Waits until at least `count` tasks sleep at this clock, or `other` returns.
    ///
    /// - Returns: Whether it was the sleepers.
    func waitForSleepers(_ count: Int, or other: @escaping @Sendable () async -> Void) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await self.waitForSleepers(count)
                    return true
                } catch {
                    return false
                }
            }
            group.addTask {
                await other()
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }
}
