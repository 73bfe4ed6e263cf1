#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A socket that reads nothing unless it is told to.
struct RawSocket: Sendable {
    private let descriptor: Int32

    /// Calls `body` with a connection to a port of this machine, which is closed afterwards.
    static func with<Result>(port: Int, _ body: (RawSocket) async throws -> Result) async throws -> Result {
        let socket = try RawSocket(port: port)
        defer { close(socket.descriptor) }
        return try await body(socket)
    }

    private init(port: Int) throws {
        #if canImport(Glibc)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) == 0 }
        }
        guard descriptor >= 0, isConnected else { throw ProxyError(errno) }
    }

    /// Sends all bytes, in small parts that wait for the other side to take them.
    ///
    /// - Returns: Whether the other side took all of them.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        #if canImport(Glibc)
        let flags = Int32(MSG_NOSIGNAL)
        #else
        let flags: Int32 = 0
        #endif
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Self.send(descriptor, $0, flags) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Says that nothing more will be sent.
    func closeForWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    private static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ flags: Int32) -> Int {
        #if canImport(Glibc)
        Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags)
        #else
        Darwin.send(descriptor, bytes.baseAddress, bytes.count, flags)
        #endif
    }
}
