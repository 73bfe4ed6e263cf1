/// Runs the benchmarks that the arguments name; see `docs/performance.md`.
@main
enum Main {
    static func main() async {
        let arguments: Arguments
        do {
            arguments = try Arguments(CommandLine.arguments.dropFirst())
        } catch {
            Console.say("error: \(error)\n\(Arguments.usage)")
            Console.exit(2)
        }
        if arguments.showsHelp {
            return print(Arguments.usage)
        }
        if await !run(arguments) {
            Console.exit(1)
        }
    }

    /// Off the main actor, where every hop would cost a hundred times what is measured.
    ///
    /// - Returns: Whether every benchmark gave a result.
    @concurrent
    private static func run(_ arguments: Arguments) async -> Bool {
        let chosen = arguments.select(from: Benchmark.all)
        if arguments.listsOnly {
            for benchmark in chosen {
                print("\(benchmark.name): \(benchmark.summary)")
            }
            return true
        }
        guard !chosen.isEmpty else {
            Console.say("error: no benchmark is called like that; --list shows the names.")
            return false
        }
        var hasFailed = false
        for benchmark in chosen {
            Console.say("\(benchmark.name): \(benchmark.summary)")
            do {
                let result = try await benchmark.run(Rounds(count: arguments.rounds, isFull: arguments.isFull))
                Report(benchmark: benchmark, result: result).print(asJSON: arguments.printsJSON)
            } catch {
                Console.say("error: \(benchmark.name): \(error)")
                hasFailed = true
            }
        }
        return !hasFailed
    }
}
