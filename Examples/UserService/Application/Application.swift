import ServiceLifecycle

/// What the program does while the engine runs.
protocol Application: Service {
    /// Tells how it went, once ``run()`` has returned.
    ///
    /// - Returns: Whether everything was as it was promised; `nil` when it did not come so far.
    func report(to console: Console) -> Bool?
}
