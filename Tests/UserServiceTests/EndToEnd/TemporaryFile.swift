import Foundation

/// Calls `body` with the path of a new file of this content, and removes the file afterwards.
func withTemporaryFile<Result>(
    _ content: [String],
    _ body: (_ path: String) async throws -> Result
) async throws -> Result {
    let file = FileManager.default.temporaryDirectory.appending(path: "user-service-\(UUID().uuidString).jsonl")
    try Data((content.joined(separator: "\n") + "\n").utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try await body(file.path)
}

/// Calls `body` with the path of a folder that does not exist yet, and removes it afterwards.
func withTemporaryFolder<Result>(_ body: (_ path: String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "user-service-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}
