import CrashTesting
import Foundation
import ProcessTesting
import Testing

/// Fills the disk under a real process that appends to a file and consumes from it.
@Suite("Crashes on a full disk", .timeLimit(.minutes(5)))
struct FullDiskCrashTests {
    @Test(
        "A service goes on by itself when a full disk has room again, and has lost nothing",
        .enabled(if: SmallDisk.isPossible, "a small file system can be mounted by root on Linux only")
    )
    func fullAndFreed() async throws {
        try await withTemporaryFolder { folder in
            let disk = try SmallDisk(at: folder + "/disk", megabytes: 24)
            defer { disk.remove() }
            let path = disk.path + "/events.sqlite"
            var run = CrashRun(sqlite: path, folder: folder)
            let result = try await run.run(rounds: 3) {
                try disk.fill()
                // What the file and its log have already is used up first.
                try await Self.standstill(of: $0)
                try disk.free()
            }
            #expect(result.acknowledged > 0)
            #expect(result.stored >= result.acknowledged)
        }
    }

    /// Waits until no append is acknowledged any more.
    private static func standstill(of service: Program) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        var count = 0
        while ContinuousClock.now < deadline {
            let present = try await service.lines(until: "ack ", count: 1).count { $0.hasPrefix("ack ") }
            if present == count { return }
            count = present
            try await Task.sleep(for: .milliseconds(300))
        }
        Issue.record("the disk is full, and appends are acknowledged all the same")
    }
}

/// A file system in memory, so small that it can be filled.
private struct SmallDisk {
    let path: String
    private var ballast: String { path + "/ballast" }

    static var isPossible: Bool {
        #if os(Linux)
        geteuid() == 0
        #else
        false
        #endif
    }

    init(at path: String, megabytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        #if os(Linux)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else { throw CocoaError(.fileWriteUnknown) }
        #endif
    }

    /// Writes until there is no room for another byte.
    func fill() throws {
        let file = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw CocoaError(.fileWriteUnknown) }
        defer { close(file) }
        var block = [UInt8](repeating: 1, count: 1 << 16)
        while write(file, &block, block.count) > 0 {}
        guard errno == ENOSPC else { throw CocoaError(.fileWriteUnknown) }
    }

    func free() throws {
        try FileManager.default.removeItem(atPath: ballast)
    }

    func remove() {
        #if os(Linux)
        // Lazily, as a connection may not have been closed yet.
        _ = umount2(path, Int32(MNT_DETACH))
        #endif
    }
}
