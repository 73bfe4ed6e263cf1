import GRPCCore
import GRPCNIOTransportHTTP2Posix

typealias BareClient = GRPCClient<HTTP2ClientTransport.Posix>

/// A server of grpc-swift with nothing of ours, which takes and sends bytes, and answers each message with a small one.
struct BareServer: RegistrableRPCService {
    /// Sends as many frames as the first message asks for, and takes an answer to each.
    static let send = MethodDescriptor(fullyQualifiedService: "benchmarks.Bare", method: "Send")
    /// Takes frames, and sends an answer to each.
    static let take = MethodDescriptor(fullyQualifiedService: "benchmarks.Bare", method: "Take")
    /// Sends back the one message it takes.
    static let echo = MethodDescriptor(fullyQualifiedService: "benchmarks.Bare", method: "Echo")
    /// Answers the first message, and then waits for more.
    static let idle = MethodDescriptor(fullyQualifiedService: "benchmarks.Bare", method: "Idle")

    /// As large as a settlement of a batch with new credit, and about as large as the answer to it.
    static let answer = [UInt8](repeating: 1, count: 24)

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        register(Self.send, in: &router) { requests, writer in
            var requests = requests.makeAsyncIterator()
            guard let order = try await requests.next(isolation: nil) else { return }
            let frames = try Order(order)
            async let writing: Void = frames.write(to: writer)
            var answers = 0
            while answers < frames.count, try await requests.next(isolation: nil) != nil {
                answers += 1
            }
            try await writing
        }
        register(Self.take, in: &router) { requests, writer in
            for try await _ in requests {
                try await writer.write(Self.answer)
            }
        }
        for method in [Self.echo, Self.idle] {
            register(method, in: &router) { requests, writer in
                for try await message in requests {
                    try await writer.write(message)
                }
            }
        }
    }

    private func register<Transport: ServerTransport>(
        _ method: MethodDescriptor,
        in router: inout RPCRouter<Transport>,
        _ body:
            @escaping @Sendable (RPCAsyncSequence<[UInt8], any Error>, RPCWriter<[UInt8]>) async throws -> Void
    ) {
        router.registerHandler(forMethod: method, deserializer: BytesCoding(), serializer: BytesCoding()) {
            request, _ in
            StreamingServerResponse { writer in
                try await body(request.messages, writer)
                return [:]
            }
        }
    }

    /// Runs `body` with the port of a running server.
    static func run<Result: Sendable>(
        _ services: [any RegistrableRPCService] = [BareServer()],
        _ body: @escaping @Sendable (Int) async throws -> Result
    ) async throws -> Result {
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: 0),
            transportSecurity: .plaintext,
            // As large as ours; the transport's own would slow down what is sent to it.
            config: .defaults { $0.http2.targetWindowSize = 1 << 20 }
        )
        return try await withGRPCServer(transport: transport, services: services) { server in
            guard let port = try await server.listeningAddress?.ipv4?.port else {
                throw Problem("The server does not listen.")
            }
            return try await body(port)
        }
    }

    /// Runs `body` with a client of a server at this port.
    static func withClient<Result: Sendable>(
        port: Int,
        _ body: @escaping @Sendable (BareClient) async throws -> Result
    ) async throws -> Result {
        let transport = try HTTP2ClientTransport.Posix(
            target: .ipv4(address: "127.0.0.1", port: port),
            transportSecurity: .plaintext
        )
        return try await withGRPCClient(transport: transport) { try await body($0) }
    }
}

extension BareServer {
    /// How many frames to send, and how large each is.
    struct Order: Sendable {
        let count: Int
        let size: Int

        init(count: Int, size: Int) {
            self.count = count
            self.size = size
        }

        init(_ message: [UInt8]) throws {
            guard message.count == 8 else { throw Problem("An order has 8 bytes.") }
            count = Int(message[0...3].reduce(0) { $0 << 8 | UInt32($1) })
            size = Int(message[4...7].reduce(0) { $0 << 8 | UInt32($1) })
        }

        var message: [UInt8] {
            [count, size].flatMap { number in (0..<4).reversed().map { UInt8(number >> ($0 * 8) & 0xFF) } }
        }

        func write(to writer: RPCWriter<[UInt8]>) async throws {
            let frame = [UInt8](repeating: 7, count: size)
            for _ in 0..<count {
                try await writer.write(frame)
            }
        }
    }
}

extension BareClient {
    /// Calls a method with bytes.
    func call<Result: Sendable>(
        _ method: MethodDescriptor,
        sending producer: @escaping @Sendable (RPCWriter<[UInt8]>) async throws -> Void,
        _ body: @escaping @Sendable (RPCAsyncSequence<[UInt8], any Error>) async throws -> Result
    ) async throws -> Result {
        try await bidirectionalStreaming(
            request: StreamingClientRequest(producer: producer),
            descriptor: method,
            serializer: BytesCoding(),
            deserializer: BytesCoding(),
            options: .defaults
        ) { response in
            try await body(response.messages)
        }
    }

    /// Receives so many frames, and answers each: how many there are a second.
    func receiveRate(_ order: BareServer.Order) async throws -> Double {
        let (answers, continuation) = AsyncStream<Void>.makeStream()
        let watch = Stopwatch()
        let count = try await call(BareServer.send) { writer in
            try await writer.write(order.message)
            for await _ in answers {
                try await writer.write(BareServer.answer)
            }
        } _: { frames in
            defer { continuation.finish() }
            var count = 0
            for try await frame in frames {
                guard frame.count == order.size else { throw Problem("A frame has \(frame.count) bytes.") }
                count += 1
                continuation.yield()
                if count == order.count { continuation.finish() }
            }
            return count
        }
        guard count == order.count else { throw Problem("\(count) frames arrived instead of \(order.count).") }
        return watch.rate(of: order.count)
    }

    /// Sends so many frames without waiting for the answer to each: how many are answered a second.
    func sendRate(_ order: BareServer.Order) async throws -> Double {
        let watch = Stopwatch()
        let count = try await call(BareServer.take) { writer in
            try await order.write(to: writer)
        } _: { answers in
            var count = 0
            for try await _ in answers {
                count += 1
            }
            return count
        }
        guard count == order.count else { throw Problem("\(count) frames were answered instead of \(order.count).") }
        return watch.rate(of: order.count)
    }

    /// Sends one message and waits for it to come back.
    func echo(_ message: [UInt8]) async throws {
        let answer = try await unary(
            request: ClientRequest(message: message),
            descriptor: BareServer.echo,
            serializer: BytesCoding(),
            deserializer: BytesCoding(),
            options: .defaults
        ) { try $0.message }
        guard answer.count == message.count else { throw Problem("An echo has \(answer.count) bytes.") }
    }
}
