import Foundation

/// The path of an executable of the package, which lies beside the tests in the folder of the build.
package func builtProgram(_ name: String) throws -> String {
    var places = [Bundle.main.bundleURL, Bundle.main.executableURL, URL(filePath: CommandLine.arguments[0])]
        .compactMap { $0 }
    #if os(macOS)
    // The tests are a bundle there, loaded by a program that lies elsewhere.
    places += Bundle.allBundles.map(\.bundleURL)
    #endif
    let candidates = places.flatMap { [$0, $0.deletingLastPathComponent()] }.map { $0.appending(path: name).path }
    let file = candidates.first { path in
        var isFolder = ObjCBool(false)
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
    }
    guard let file else { throw MissingProgramError(name: name, candidates: candidates) }
    return file
}

/// A program is not where the build should have put it.
private struct MissingProgramError: Error, CustomStringConvertible {
    let name: String
    let candidates: [String]

    var description: String { "\(name) is not built; looked for \(candidates.joined(separator: ", "))." }
}
