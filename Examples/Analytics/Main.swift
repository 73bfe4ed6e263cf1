import EventStreaming
import EventStreamingGRPC
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// Where the program begins and ends.
@main
struct Main {
    static func main() async {
        // `main()` runs on the main actor, and so would everything that it calls; this call leaves it.
        exit(await run())
    }

    @concurrent
    private static func run() async -> Int32 {
        let options: AnalyticsOptions
        do throws(AnalyticsOptions.UsageError) {
            options = try AnalyticsOptions(CommandLine.arguments.dropFirst())
        } catch {
            complain("\(error.message) Analytics --help tells more.")
            return 2
        }
        if options.showsHelp {
            print(AnalyticsOptions.usage)
            return 0
        }
        do {
            try await count(options)
            return 0
        } catch {
            complain("\(error)")
            return 4
        }
    }

    /// Counts until a signal ends it.
    private static func count(_ options: AnalyticsOptions) async throws {
        var logger = Logger(label: "analytics", factory: StreamLogHandler.standardError(label:))
        let level = ProcessInfo.processInfo.environment["LOG_LEVEL"].flatMap { Logger.Level(rawValue: $0.lowercased()) }
        logger.logLevel = level ?? .warning
        let client = try GRPCEventClient(GRPCClientOptions(host: options.host, port: options.port)) { [logger] client in
            client.options.logger = logger
            client.addEvent(UserAdded.self)
            client.addEvent(UserRemoved.self)
        }
        let analytics = UserAnalytics(client: client, name: options.name, file: CountsFile(path: options.counts))
        // Shut down in reverse: the loop first, which still needs the client.
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: client),
                    .init(
                        service: analytics,
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup
                    ),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
    }

    private static func complain(_ message: String) {
        FileHandle.standardError.write(Data("Analytics: \(message)\n".utf8))
    }
}
