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
        exit(await run().rawValue)
    }

    /// How the program ended; see ``CommandLineOptions/usage``.
    private enum ExitCode: Int32 {
        case success = 0
        case unreadableInput = 1
        case wrongUsage = 2
        case lost = 3
        case failed = 4
    }

    @concurrent
    private static func run() async -> ExitCode {
        let options: CommandLineOptions
        do throws(CommandLineOptions.UsageError) {
            options = try CommandLineOptions(CommandLine.arguments.dropFirst())
        } catch {
            complain("\(error.message) UserService --help tells more.")
            return .wrongUsage
        }
        if options.showsHelp {
            print(CommandLineOptions.usage)
            return .success
        }
        do {
            return try await serve(options) ? .success : .lost
        } catch let error as InputSource.Failure {
            complain("\(error)")
            return .unreadableInput
        } catch {
            complain("\(error)")
            return .failed
        }
    }

    /// Runs the service until its input has ended and everything is delivered, or a signal ends it sooner. Returns whether
    /// everything was as it was promised.
    private static func serve(_ options: CommandLineOptions) async throws -> Bool {
        let logger = makeLogger()
        let journal = Journal(console: Console(format: options.isJSON ? .json : .text), ledger: Ledger())
        let storage = try await Storage.open(options)
        let directory = Directory()
        let streaming = try EventStreaming.userService(
            options,
            storage: storage,
            directory: directory,
            logger: logger
        )
        let beginning = try await Beginning(of: streaming)
        journal.ledger.begin(at: beginning.heads)
        journal.console.write(BeginningEntry(storage, beginning))
        let application: any Application
        if let member = options.member {
            let analyst = Analyst(name: member, streaming: streaming, journal: journal)
            application = MemberApplication(analyst, input: try options.input.map(InputSource.init(path:)))
        } else {
            try await directory.restore(from: streaming)
            application = UserApplication(
                input: try InputSource(path: options.input ?? "-"),
                options: options,
                streaming: streaming,
                book: storage.charges,
                journal: journal
            )
        }
        var services = [ServiceGroupConfiguration.ServiceConfiguration(service: streaming)]
        if let server = server(options, streaming) {
            services.append(.init(service: server))
        }
        services.append(
            .init(
                service: application,
                successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup
            )
        )
        // Shut down in reverse: the application first, which still needs the streaming.
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services,
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        let outcome: Result<Void, any Error>
        do {
            try await group.run()
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        // Also after a failure: what was done is worth to be told.
        let isRight = application.report(to: journal.console)
        try outcome.get()
        guard let isRight else { throw CancellationError() }
        return isRight
    }

    /// What serves other processes, where that was asked for.
    private static func server(
        _ options: CommandLineOptions,
        _ streaming: EventStreaming
    ) -> GRPCEventDeliveryProvider? {
        guard let port = options.grpcPort else { return nil }
        return GRPCEventDeliveryProvider(streaming) { server in
            server.port = port
            // Room for the largest event, and for what a message has besides.
            server.limits.maximumMessageBytes = max(4 << 20, options.maximumPayloadBytes + 65_536)
        }
    }

    private static func makeLogger() -> Logger {
        var logger = Logger(label: "user-service", factory: StreamLogHandler.standardError(label:))
        let level = ProcessInfo.processInfo.environment["LOG_LEVEL"].flatMap { Logger.Level(rawValue: $0.lowercased()) }
        logger.logLevel = level ?? .warning
        return logger
    }

    private static func complain(_ message: String) {
        FileHandle.standardError.write(Data("UserService: \(message)\n".utf8))
    }
}
