import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Stands between a client and a server on this machine, and can do to a connection what a network does: cut it, also in
/// the middle of a frame, swallow what is sent, or take its time.
final class LoopbackProxy: Sendable {
    private struct State {
        var target: UInt16
        var listener: Int32
        var sockets: Set<Int32> = []
        var connections = 0
        var swallowed: Set<Int32> = []
        var isRefusing = false
        /// How many more bytes pass from the server before all connections are cut.
        var cutAfter: Int?
        var isClosed = false
    }

    /// Where clients connect to.
    let port: Int
    private let state: Mutex<State>

    /// Listens at a free port, and connects whoever comes to `target`.
    init(to target: Int) throws {
        let listener = socket(AF_INET, Self.stream, 0)
        var address = Self.loopback(0)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) == 0 }
        }
        guard listener >= 0, isListening, listen(listener, 64) == 0 else { throw ProxyError(errno) }
        var bound = sockaddr_in()
        var boundLength = length
        withUnsafeMutablePointer(to: &bound) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &boundLength) }
        }
        port = Int(UInt16(bigEndian: bound.sin_port))
        state = Mutex(State(target: UInt16(target), listener: listener))
        Thread.detachNewThread { [self] in accept(from: listener) }
    }

    /// How many connections were made so far.
    var connections: Int { state.withLock { $0.connections } }

    /// Has later connections go to another server.
    func redirect(to target: Int) {
        state.withLock { $0.target = UInt16(target) }
    }

    /// Cuts all connections now.
    func cut() {
        let sockets = state.withLock { state in
            state.cutAfter = nil
            return state.sockets
        }
        for socket in sockets {
            shutdown(socket, Int32(SHUT_RDWR))
        }
    }

    /// Cuts all connections when so many more bytes have come from the server: wherever in a frame that is.
    func cut(afterBytes count: Int) {
        state.withLock { $0.cutAfter = count }
    }

    /// Takes what comes over the present connections from now on, and passes nothing on: each side thinks that the other is
    /// there.
    func swallow() {
        state.withLock { $0.swallowed = $0.sockets }
    }

    /// Whether new connections are closed at once.
    func refuse(_ isRefusing: Bool) {
        state.withLock { $0.isRefusing = isRefusing }
    }

    func close() {
        let listener = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed ? nil : state.listener
        }
        if let listener {
            shutdown(listener, Int32(SHUT_RDWR))
        }
        cut()
    }

    deinit { close() }

    // MARK: - Threads

    private func accept(from listener: Int32) {
        while true {
            let client = Self.accept(listener)
            guard client >= 0 else { break }
            let (target, isRefusing) = state.withLock { ($0.target, $0.isRefusing || $0.isClosed) }
            guard !isRefusing, let server = Self.connect(to: target) else {
                Self.close(client)
                continue
            }
            Self.disableDelay(client)
            Self.disableDelay(server)
            state.withLock { state in
                state.connections += 1
                state.sockets.formUnion([client, server])
            }
            Thread.detachNewThread { [self] in pump(from: client, to: server, isFromServer: false) }
            Thread.detachNewThread { [self] in pump(from: server, to: client, isFromServer: true) }
        }
        Self.close(listener)
    }

    private func pump(from source: Int32, to destination: Int32, isFromServer: Bool) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            let (passed, isCut) = state.withLock { state -> (Int, Bool) in
                if state.swallowed.contains(source) { return (0, false) }
                guard isFromServer, let left = state.cutAfter else { return (count, false) }
                guard count >= left else {
                    state.cutAfter = left - count
                    return (count, false)
                }
                return (left, true)
            }
            var sent = 0
            while sent < passed {
                let written = buffer[sent..<passed].withUnsafeBytes {
                    send(destination, $0.baseAddress, $0.count, Self.noSignal)
                }
                guard written > 0 else { break }
                sent += written
            }
            if isCut {
                cut()
            }
            if sent < passed { break }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(destination, Int32(SHUT_RDWR))
        // Each socket is closed by the thread that reads it, when nobody can shut it down any more.
        state.withLock { state in
            state.sockets.remove(source)
            state.swallowed.remove(source)
        }
        Self.close(source)
    }

    // MARK: - System

    #if canImport(Glibc)
    private static let stream = Int32(SOCK_STREAM.rawValue)
    private static let noSignal = Int32(MSG_NOSIGNAL)
    #else
    private static let stream = SOCK_STREAM
    private static let noSignal: Int32 = 0
    #endif

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func connect(to port: UInt16) -> Int32? {
        let server = socket(AF_INET, stream, 0)
        var address = loopback(port)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { sockaddr in
                #if canImport(Glibc)
                Glibc.connect(server, sockaddr, length) == 0
                #else
                Darwin.connect(server, sockaddr, length) == 0
                #endif
            }
        }
        guard isConnected else {
            close(server)
            return nil
        }
        return server
    }

    private static func accept(_ listener: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.accept(listener, nil, nil)
        #else
        Darwin.accept(listener, nil, nil)
        #endif
    }

    private static func close(_ socket: Int32) {
        #if canImport(Glibc)
        _ = Glibc.close(socket)
        #else
        _ = Darwin.close(socket)
        #endif
    }

    private static func disableDelay(_ socket: Int32) {
        var isOn: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
    }
}

struct ProxyError: Error {
    let code: Int32

    init(_ code: Int32) {
        self.code = code
    }
}
