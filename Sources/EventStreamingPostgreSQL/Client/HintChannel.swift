#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Tells other instances which streams have news, and hears it from them: one connection with a thread of its own.
///
/// Never in the transaction that makes the news: a transaction that notifies holds a lock of the whole database while it
/// commits. What is to be told is gathered for a few milliseconds instead. Everything here may get lost; when the
/// connection was, whoever observes is told to look at every stream.
final class HintChannel: Sendable {
    private struct State {
        var news: Set<Int64> = []
        var isStarted = false
        var isStopped = false
    }

    /// How long news are gathered.
    private static let pause = Duration.milliseconds(5)
    /// How often a silent connection is asked whether it is still there.
    private static let checkInterval = Duration.seconds(15)
    /// PostgreSQL takes up to 8000 bytes.
    private static let idsPerNotification = 350
    private static let notify = Statement("SELECT pg_notify($1::text, $2::text)")
    private static let check = Statement("SELECT 1")

    private let state = Mutex(State())
    private let settings: ConnectionSettings
    private let options: PostgreSQLOptions
    private let streams: StreamDirectory
    private let observers: ObserverList
    private let channel: String
    /// A byte written to the second wakes the thread, which waits for the first.
    private let wakeUp: (read: Int32, write: Int32)

    init(
        _ settings: ConnectionSettings,
        options: PostgreSQLOptions,
        streams: StreamDirectory,
        observers: ObserverList
    ) {
        self.settings = settings
        self.options = options
        self.streams = streams
        self.observers = observers
        channel = "event_streaming_\(options.schema)"
        var descriptors: [Int32] = [-1, -1]
        _ = pipe(&descriptors)
        for descriptor in descriptors {
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        wakeUp = (descriptors[0], descriptors[1])
    }

    deinit {
        close(wakeUp.read)
        close(wakeUp.write)
    }

    /// Begins to listen, unless it has.
    func start() {
        let isFirst = state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted && !state.isStopped
        }
        guard isFirst else { return }
        startThread { [self] in work() }
    }

    /// Ends the thread.
    func stop() {
        state.withLock { $0.isStopped = true }
        wake()
    }

    /// Has others told that a stream has news.
    func announce(_ stream: Int64) {
        let isFirst = state.withLock { state in
            state.news.insert(stream)
            return state.news.count == 1
        }
        start()
        if isFirst {
            wake()
        }
    }

    private func wake() {
        _ = write(wakeUp.write, "!", 1)
    }

    // MARK: - The thread

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func work() {
        var backoff = Backoff()
        var hadConnection = false
        while !isStopped {
            do throws(DatabaseError) {
                let session = try Session(
                    settings,
                    timeout: options.connectTimeout,
                    answerTimeout: options.answerTimeout
                )
                session.beginWork()
                try session.execute("SET synchronous_commit = off; LISTEN \(channel)")
                if hadConnection {
                    tellAll()
                }
                hadConnection = true
                backoff.succeed()
                try serve(session)
            } catch {
                pause(backoff.fail())
            }
        }
    }

    private func pause(_ time: Duration) {
        let end = ContinuousClock.now + time
        while !isStopped, ContinuousClock.now < end {
            // News that come meanwhile wake us, and wait.
            _ = waitForSocket(wakeUp.read, forWriting: false, until: end)
            drain()
        }
    }

    private func drain() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(wakeUp.read, &bytes, bytes.count) > 0 {}
    }

    /// Sends and receives until the connection is lost or the work is over.
    private func serve(_ session: Session) throws(DatabaseError) {
        var nextSending = ContinuousClock.now
        while !isStopped {
            let hasNews = state.withLock { !$0.news.isEmpty }
            let deadline = hasNews ? nextSending : .now + Self.checkInterval
            switch waitForSocket(session.socket, forWriting: false, until: deadline, wakeUp: wakeUp.read) {
            case .ready:
                guard session.consumeInput() else { throw DatabaseError(message: "lost", isFatal: true) }
            case .timedOut:
                session.beginWork()
                if !hasNews {
                    try session.query(Self.check)
                }
            case .woken: drain()
            case .failed: throw DatabaseError(message: "lost", isFatal: true)
            }
            try receive(session)
            if ContinuousClock.now >= nextSending, try send(session) {
                nextSending = .now + Self.pause
            }
        }
    }

    private func send(_ session: Session) throws(DatabaseError) -> Bool {
        let news = state.withLock { state in
            defer { state.news = [] }
            return Array(state.news)
        }
        guard !news.isEmpty else { return false }
        session.beginWork()
        for start in stride(from: 0, to: news.count, by: Self.idsPerNotification) {
            let ids = news[start..<min(news.count, start + Self.idsPerNotification)]
            var parameters = Parameters()
            parameters.add(channel)
            parameters.add(ids.map(String.init).joined(separator: ","))
            try session.query(Self.notify, parameters)
        }
        return true
    }

    private func receive(_ session: Session) throws(DatabaseError) {
        var ids: Set<Int64> = []
        while let notification = session.nextNotification() {
            // What we said ourselves was told already.
            guard notification.sender != session.backendID else { continue }
            ids.formUnion(notification.payload.split(separator: ",").compactMap { Int64($0) })
        }
        session.beginWork()
        for id in ids {
            if let entry = try? streams.entry(id, session) {
                streams.forgetHead(of: entry)
                observers.notify(entry.name)
            }
        }
    }

    private func tellAll() {
        for name in streams.names {
            observers.notify(name)
        }
    }
}
#endif
