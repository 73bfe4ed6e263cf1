#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A file of lines, each written with one call of the system.
final class EffectsFile: Sendable {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        guard descriptor >= 0 else { throw ProbeError(text: "cannot open \(path)") }
    }

    func write(_ line: String) throws {
        let bytes = Array((line + "\n").utf8)
        #if canImport(Glibc)
        let count = Glibc.write(descriptor, bytes, bytes.count)
        #else
        let count = Darwin.write(descriptor, bytes, bytes.count)
        #endif
        guard count == bytes.count else { throw ProbeError(text: "cannot write the effects") }
    }
}

struct ProbeError: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}
