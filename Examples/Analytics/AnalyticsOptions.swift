/// What was asked for on the command line.
struct AnalyticsOptions: Equatable {
    /// The command line cannot be understood.
    struct UsageError: Error, Equatable {
        let message: String
    }

    static let usage = """
        Usage: Analytics [options]

        Counts the users of a UserService that runs in another process with --grpc-port, until it is ended by a signal. What
        it has counted is in a file, so that it goes on where it was, however it ended.

          --host HOST     where the service is; 127.0.0.1 without it
          --port PORT     its --grpc-port; 50051 without it
          --name NAME     under which name the service keeps the position; analytics without it
          --counts FILE   where the counts are kept; .data/analytics.json without it
          --help

        Exit codes: 0 ended by a signal, 2 wrong usage, 4 failed.
        """

    var host = "127.0.0.1"
    var port = 50_051
    var name = "analytics"
    var counts = ".data/analytics.json"
    var showsHelp = false

    init(_ arguments: some Sequence<String>) throws(UsageError) {
        var arguments = arguments.makeIterator()
        while let argument = arguments.next() {
            switch argument {
            case "--help", "-h": showsHelp = true
            case "--host": host = try Self.text(arguments.next(), of: argument)
            case "--name": name = try Self.text(arguments.next(), of: argument)
            case "--counts": counts = try Self.text(arguments.next(), of: argument)
            case "--port":
                guard let port = arguments.next().flatMap({ Int($0) }), (1...65_535).contains(port) else {
                    throw UsageError(message: "--port needs a number from 1 to 65535.")
                }
                self.port = port
            default: throw UsageError(message: "There is no option '\(argument)'.")
            }
        }
    }

    private static func text(_ value: String?, of option: String) throws(UsageError) -> String {
        guard let value, !value.isEmpty else { throw UsageError(message: "\(option) needs a value.") }
        return value
    }
}
