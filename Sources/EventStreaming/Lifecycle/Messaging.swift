import CQRS
import EventStreamingCore

/// What sends commands and queries and emits events: for those who use the service, and for its handlers.
struct Messaging: Sendable {
    let commands: CommandBus
    let queries: QueryBus
    let emitter: EventEmitter

    init(commands: CommandBus, queries: QueryBus, emitter: EventEmitter) {
        self.commands = commands
        self.queries = queries
        self.emitter = emitter
    }

    /// Builds the command bus, and finishes the check of the configuration.
    ///
    /// - Parameter queries: The query bus; `nil` when its problems were reported already.
    /// - Throws: `invalidConfiguration` with all problems there are.
    init(
        commands registrations: borrowing CommandRegistrations,
        queries: QueryBus?,
        check: inout ConfigurationCheck,
        appender: Appender,
        lifecycle: Lifecycle
    ) throws(EventStreamingError) {
        var builder = CommandBusBuilder()
        registrations.apply(to: &builder, runner: WorkflowRunner(appender: appender, lifecycle: lifecycle))
        var commands: CommandBus?
        do throws(CQRSError) { commands = try builder.build() } catch { check.report(error) }
        try check.finish()
        guard let commands, let queries else {
            throw EventStreamingError(.invalidConfiguration, "The command or query handlers could not be registered.")
        }
        self.commands = commands
        self.queries = queries
        emitter = EventEmitter(appender: appender, lifecycle: lifecycle)
    }
}
