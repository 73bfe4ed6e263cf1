/// What was asked for on the command line.
struct CommandLineOptions: Equatable {
    /// The command line cannot be understood.
    struct UsageError: Error, Equatable {
        let message: String
    }

    static let usage = """
        Usage: UserService [options] <file | ->

        Reads commands as JSON Lines from a file, or from standard input (-), and shows what becomes of them.
        A blank line, and a line that begins with #, means nothing. A line with an error is reported, the rest goes on.

        Commands:
          {"command":"AddUser","name":"…","email":"…"}                also "id", "about"
          {"command":"RemoveUser","user":"…"}                         also "reason"
          {"command":"InviteUser","email":"…","invitedBy":"…"}        also "id", "credit", "seats"
          {"command":"AcceptInvitation","invitation":"…","name":"…"}
          {"command":"DeclineInvitation","invitation":"…"}            also "reason"

        Options:
          --storage <kind>        where events are kept: sqlite (the default), postgresql or memory
          --data-dir <folder>     the folder of the SQLite file; .data by default
          --json                  write JSON Lines instead of text
          --max-payload <bytes>   the largest event; 1000000 by default
          --max-line <bytes>      the longest line; 20000000 by default
          --timeout <seconds>     at the end, how long to wait for consumers that make no progress; 30 by default
          --help                  show this

        Environment:
          DATABASE_URL            the PostgreSQL server: postgresql://user:password@host:port/database
          LOG_LEVEL               trace, debug, info, notice, warning (the default), error or critical

        Exit codes: 0 nothing was lost; 1 the input cannot be read; 2 wrong usage; 3 something was lost;
        4 the service failed.
        """

    /// Where events are kept.
    enum Storage: String, CaseIterable {
        case memory
        case sqlite
        case postgresql
    }

    var storage = Storage.sqlite
    var dataFolder = ".data"
    /// A path, or `-` for standard input.
    var input = ""
    var isJSON = false
    var showsHelp = false
    var maximumPayloadBytes = 1_000_000
    var maximumLineBytes = 20_000_000
    var timeout: Duration = .seconds(30)

    init(_ arguments: some Sequence<String>) throws(UsageError) {
        var arguments = arguments.makeIterator()
        var inputs: [String] = []
        var hasEndedOptions = false
        while let argument = arguments.next() {
            switch argument {
            case _ where hasEndedOptions || argument == "-" || !argument.hasPrefix("-"): inputs.append(argument)
            case "--": hasEndedOptions = true
            case "--json": isJSON = true
            case "--help", "-h": showsHelp = true
            case "--storage":
                guard let storage = arguments.next().flatMap({ Storage(rawValue: $0) }) else {
                    let kinds = Storage.allCases.map(\.rawValue).joined(separator: ", ")
                    throw UsageError(message: "--storage needs one of \(kinds).")
                }
                self.storage = storage
            case "--data-dir":
                guard let folder = arguments.next(), !folder.isEmpty else {
                    throw UsageError(message: "--data-dir needs the name of a folder.")
                }
                dataFolder = folder
            case "--max-payload":
                maximumPayloadBytes = try Self.number(arguments.next(), of: argument, in: 1...2_000_000_000)
            case "--max-line":
                maximumLineBytes = try Self.number(arguments.next(), of: argument, in: 1...2_000_000_000)
            case "--timeout":
                timeout = .seconds(try Self.number(arguments.next(), of: argument, in: 1...86_400))
            default:
                throw UsageError(message: "There is no option \(argument.printable()).")
            }
        }
        guard !showsHelp else { return }
        guard let input = inputs.first, !input.isEmpty else {
            throw UsageError(message: "Name a file of commands, or - for standard input.")
        }
        guard inputs.count == 1 else {
            throw UsageError(message: "Name one input, not \(inputs.count).")
        }
        self.input = input
    }

    private static func number(
        _ text: String?,
        of option: String,
        in range: ClosedRange<Int>
    ) throws(UsageError) -> Int {
        guard let number = text.flatMap({ Int($0) }), range.contains(number) else {
            throw UsageError(
                message: "\(option) needs a whole number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return number
    }
}
