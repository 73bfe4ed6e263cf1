import Foundation

/// Keeps the counts in a file: either as they were, or as they are, whenever the program or the machine ends.
struct CountsFile {
    let path: String

    /// The counts; none where there is no file yet.
    func read() throws -> Counts {
        guard FileManager.default.fileExists(atPath: path) else { return Counts() }
        return try JSONDecoder().decode(Counts.self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Returns when the counts are on the disk.
    func write(_ counts: Counts) throws {
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let new = url.appendingPathExtension("new")
        try encoder.encode(counts).write(to: new)
        let handle = try FileHandle(forWritingTo: new)
        try handle.synchronize()
        try handle.close()
        guard rename(new.path, url.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}
