/// What the command line asks for.
struct Arguments: Sendable {
    static let usage = """
        usage: Benchmarks [--filter text] [--rounds number] [--full] [--json] [--list]

          --filter text     only the benchmark of this name, or those whose name contains the text
          --rounds number   how often each side of a comparison is measured; 7 by default
          --full            work on as many events as the targets speak of, where that takes minutes
          --json            print results as JSON, one object in a line
          --list            print the names of the benchmarks, and run none
        """

    private(set) var filter = ""
    private(set) var rounds = 7
    private(set) var isFull = false
    private(set) var printsJSON = false
    private(set) var listsOnly = false
    private(set) var showsHelp = false

    init(_ arguments: some Sequence<String>) throws {
        var rest = arguments.makeIterator()
        while let argument = rest.next() {
            switch argument {
            case "--filter":
                guard let text = rest.next() else { throw Problem("--filter needs a text.") }
                filter = text
            case "--rounds":
                guard let number = rest.next().flatMap({ Int($0) }), (1...1000).contains(number) else {
                    throw Problem("--rounds needs a number from 1 to 1000.")
                }
                rounds = number
            case "--full": isFull = true
            case "--json": printsJSON = true
            case "--list": listsOnly = true
            case "--help", "-h": showsHelp = true
            default: throw Problem("There is no option '\(argument)'.")
            }
        }
    }

    /// The benchmark with exactly this name, if there is one; otherwise all whose name contains the text.
    func select(from benchmarks: [Benchmark]) -> [Benchmark] {
        let exact = benchmarks.filter { $0.name == filter }
        return exact.isEmpty ? benchmarks.filter { filter.isEmpty || $0.name.contains(filter) } : exact
    }
}
