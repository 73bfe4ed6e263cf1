import EventStreaming
import Foundation
import ProcessTesting

/// Runs a service whose handler ends the process, and starts it again for as long as that happens.
package enum TrapRun {
    /// - Returns: How often the process was ended by its handler, how often each event was tried, and which were finished.
    package static func run(
        storageArgument: String,
        folder: String
    ) async throws -> (crashes: Int, begun: [Int64: Int], ended: Set<Int64>) {
        let effects = folder + "/trap-effects"
        var crashes = 0
        while true {
            let outcome = try await runProgram(at: builtProgram("CrashProbe"), [storageArgument, effects, "trap"])
            if outcome.lines.last == "drained" { break }
            guard outcome.signal != nil, crashes < 10 * TrapService.attempts else {
                throw CrashFailure("the service neither finished nor was ended by a signal: \(outcome)")
            }
            crashes += 1
        }
        var begun: [Int64: Int] = [:]
        var ended: Set<Int64> = []
        for line in try String(contentsOfFile: effects, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, let place = Int64(words[1]) else {
                throw CrashFailure("the effects have a damaged line: \(line)")
            }
            if words[0] == "begin" {
                begun[place, default: 0] += 1
            } else {
                ended.insert(place)
            }
        }
        return (crashes, begun, ended)
    }
}
