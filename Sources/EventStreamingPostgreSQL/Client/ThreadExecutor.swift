#if PostgreSQL
#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Runs the jobs of one actor on a thread of its own, one after the other, so that they may block.
///
/// The thread ends when the executor was stopped and has nothing left to do.
///
/// Unchecked: `jobs`, `isStopped` are only touched between `lock` and `unlock` of the mutex, and the two pointers never
/// change; they are freed by the last owner, when the thread, which is an owner too, has ended.
final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [UnownedJob] = []
    private var isStopped = false

    /// Starts the thread.
    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        startThread { [self] in work() }
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(job)
        let isFirst = jobs.count == 1
        pthread_mutex_unlock(mutex)
        if isFirst {
            pthread_cond_signal(condition)
        }
    }

    /// Ends the thread once it has done everything that was enqueued.
    func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    private func work() {
        var batch: [UnownedJob] = []
        while true {
            pthread_mutex_lock(mutex)
            while jobs.isEmpty, !isStopped {
                pthread_cond_wait(condition, mutex)
            }
            swap(&jobs, &batch)
            pthread_mutex_unlock(mutex)
            guard !batch.isEmpty else { return }
            for job in batch {
                job.runSynchronously(on: asUnownedSerialExecutor())
            }
            batch.removeAll(keepingCapacity: true)
        }
    }
}

/// Starts a thread that does `body` and ends.
func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Start {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let start = Unmanaged.passRetained(Start(body)).toOpaque()
    #if canImport(Darwin)
    var thread: pthread_t?
    let failure = pthread_create(
        &thread, nil,
        { start in
            Unmanaged<Start>.fromOpaque(start).takeRetainedValue().body()
            return nil
        }, start)
    #else
    var thread = pthread_t()
    let failure = pthread_create(
        &thread, nil,
        { start in
            if let start { Unmanaged<Start>.fromOpaque(start).takeRetainedValue().body() }
            return nil
        }, start)
    #endif
    // Without threads nothing works any more, and nobody could be told: this thread would have to tell.
    precondition(failure == 0, "The system has no more threads (error \(failure)).")
    #if canImport(Darwin)
    if let thread { pthread_detach(thread) }
    #else
    pthread_detach(thread)
    #endif
}
#endif
