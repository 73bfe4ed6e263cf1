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
        var open: [ProxiedConnection] = []
        var connections = 0
        /// Whether connections that are made are swallowed from the first byte on.
        var isSwallowing = false
        /// How many more bytes pass from the server, or else to it, before all connections are cut.
        var cutAfter: (bytes: Int, isFromServer: Bool)?
        var isClosed = false
        var isListenerOpen = true
    }

    /// Where clients connect to.
    let port: Int
    private let listener: Int32
    private let state: Mutex<State>

    /// Listens at a free port, and connects whoever comes to `target`.
    init(to target: Int) throws {
        listener = socket(AF_INET, Self.stream, 0)
        var address = Self.loopback(0)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafePointer(to: &address) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) == 0 }
        }
        guard listener >= 0, isListening, listen(listener, 64) == 0 else { throw ProxyError(errno) }
        var bound = sockaddr_in()
        var boundLength = length
        withUnsafeMutablePointer(to: &bound) { [listener] pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &boundLength) }
        }
        port = Int(UInt16(bigEndian: bound.sin_port))
        state = Mutex(State(target: UInt16(target)))
        Thread.detachNewThread { [self] in accept() }
    }

    /// How many connections were made so far.
    var connections: Int { state.withLock { $0.connections } }

    /// Has later connections go to another server.
    func redirect(to target: Int) {
        state.withLock { $0.target = UInt16(target) }
    }

    /// Cuts all connections now.
    func cut() {
        let open = state.withLock { state in
            state.cutAfter = nil
            return state.open
        }
        for connection in open {
            connection.cut()
        }
    }

    /// Cuts all connections when so many more bytes have come from the server, or else have gone to it: wherever in a frame
    /// that is.
    func cut(afterBytes count: Int, fromServer isFromServer: Bool = true) {
        state.withLock { $0.cutAfter = (count, isFromServer) }
    }

    /// Takes what comes over the present connections from now on, and passes nothing on: each side thinks that the other is
    /// there.
    func swallow() {
        for connection in state.withLock({ $0.open }) {
            connection.swallow()
        }
    }

    /// Whether that holds for connections to come, too: they are made, and nothing is ever answered.
    func swallowNew(_ isSwallowing: Bool) {
        state.withLock { $0.isSwallowing = isSwallowing }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            // Wakes the thread that accepts, which closes it.
            if state.isListenerOpen {
                shutdown(listener, Int32(SHUT_RDWR))
            }
        }
        cut()
    }

    // MARK: - Threads

    private func accept() {
        while true {
            let client = Self.accept(listener)
            guard client >= 0 else { break }
            let (target, isClosed) = state.withLock { ($0.target, $0.isClosed) }
            guard !isClosed, let server = Self.connect(to: target) else {
                Self.close(client)
                continue
            }
            Self.disableDelay(client)
            Self.disableDelay(server)
            let connection = ProxiedConnection(client: client, server: server)
            let isTooLate = state.withLock { state in
                state.connections += 1
                state.open.append(connection)
                if state.isSwallowing {
                    connection.swallow()
                }
                return state.isClosed
            }
            if isTooLate {
                connection.cut()
            }
            Thread.detachNewThread { [self] in pump(connection, from: client, to: server, isFromServer: false) }
            Thread.detachNewThread { [self] in pump(connection, from: server, to: client, isFromServer: true) }
        }
        state.withLock { state in
            state.isListenerOpen = false
            Self.close(listener)
        }
    }

    private func pump(_ connection: ProxiedConnection, from source: Int32, to destination: Int32, isFromServer: Bool) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            let (passed, isCut) = state.withLock { state -> (Int, Bool) in
                if connection.isSwallowed { return (0, false) }
                guard let cut = state.cutAfter, cut.isFromServer == isFromServer else { return (count, false) }
                guard count >= cut.bytes else {
                    state.cutAfter?.bytes -= count
                    return (count, false)
                }
                return (cut.bytes, true)
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
        if connection.endOfOneSide() {
            state.withLock { $0.open.removeAll { $0 === connection } }
        }
    }

    deinit { close() }

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

    fileprivate static func close(_ socket: Int32) {
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

/// The two sockets of a connection. Each side is read by a thread of its own; the sockets are closed when both have ended, and
/// not before: the number of one that is closed is soon another's.
private final class ProxiedConnection: Sendable {
    private struct State {
        var sides = 2
        var isSwallowed = false
    }

    private let client: Int32
    private let server: Int32
    private let state = Mutex(State())

    init(client: Int32, server: Int32) {
        self.client = client
        self.server = server
    }

    var isSwallowed: Bool { state.withLock { $0.isSwallowed } }

    func swallow() {
        state.withLock { $0.isSwallowed = true }
    }

    func cut() {
        state.withLock { state in
            guard state.sides > 0 else { return }
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_RDWR))
        }
    }

    /// One thread has ended, so the other has to.
    ///
    /// - Returns: Whether it was the last one.
    func endOfOneSide() -> Bool {
        cut()
        return state.withLock { state in
            state.sides -= 1
            guard state.sides == 0 else { return false }
            LoopbackProxy.close(client)
            LoopbackProxy.close(server)
            return true
        }
    }
}

struct ProxyError: Error {
    let code: Int32

    init(_ code: Int32) {
        self.code = code
    }
}
