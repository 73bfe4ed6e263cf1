import EventStreaming

/// What was asked for on the command line.
struct CommandLineOptions: Equatable {
    /// The command line cannot be understood.
    struct UsageError: Error, Equatable {
        let message: String
    }

    /// Where events are kept.
    enum Storage: String, CaseIterable {
        case memory
        case sqlite
        case postgresql
    }

    var storage = Storage.sqlite
    var dataFolder = ".data"
    /// A path, or `-` for standard input. A member may have none.
    var input: String?
    /// How many members of the analytics group this process has.
    var members = 3
    /// The name of the one member that this process is, where it is nothing else.
    var member: String?
    /// After how long a silence others take over a process's work.
    var lease: Duration = .seconds(30)
    /// How long a notification may be unread.
    var unreadTimeout: Duration = .seconds(24 * 3600)
    /// The port at which other processes are served; `nil` for none.
    var grpcPort: Int?
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
            default: try set(argument) { arguments.next() }
            }
        }
        if !showsHelp {
            try take(inputs)
        }
    }

    /// Takes one option, and its value from `next`.
    private mutating func set(_ option: String, _ next: () -> String?) throws(UsageError) {
        switch option {
        case "--json": isJSON = true
        case "--help", "-h": showsHelp = true
        case "--storage":
            guard let storage = next().flatMap({ Storage(rawValue: $0) }) else {
                let kinds = Storage.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError(message: "--storage needs one of \(kinds).")
            }
            self.storage = storage
        case "--data-dir":
            guard let folder = next(), !folder.isEmpty else {
                throw UsageError(message: "--data-dir needs the name of a folder.")
            }
            dataFolder = folder
        case "--members": members = try Self.number(next(), of: option, in: 0...32)
        case "--member":
            guard let name = next(), (try? ConsumerID("biller-\(name)")) != nil, (try? ConsumerID(name)) != nil else {
                throw UsageError(message: "--member needs a name such as analytics-1.")
            }
            member = name
        case "--lease": lease = .seconds(try Self.number(next(), of: option, in: 1...3600))
        case "--unread-timeout": unreadTimeout = .seconds(try Self.number(next(), of: option, in: 1...31_536_000))
        case "--grpc-port": grpcPort = try Self.number(next(), of: option, in: 1...65_535)
        case "--max-payload": maximumPayloadBytes = try Self.number(next(), of: option, in: 1...2_000_000_000)
        case "--max-line": maximumLineBytes = try Self.number(next(), of: option, in: 1...2_000_000_000)
        case "--timeout": timeout = .seconds(try Self.number(next(), of: option, in: 1...86_400))
        default: throw UsageError(message: "There is no option \(option.printable()).")
        }
    }

    private mutating func take(_ inputs: [String]) throws(UsageError) {
        guard inputs.count <= 1 else {
            throw UsageError(message: "Name one input, not \(inputs.count).")
        }
        input = inputs.first
        if member == nil {
            guard input?.isEmpty == false else {
                throw UsageError(message: "Name a file of commands, or - for standard input.")
            }
        } else {
            guard storage == .postgresql else {
                throw UsageError(message: "--member needs --storage postgresql, which processes can share.")
            }
            guard input == nil || input == "-" else {
                throw UsageError(message: "A member reads no commands; leave the file out.")
            }
        }
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
