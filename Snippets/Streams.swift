// Streams: queue or log, how much they hold, and how to look into one.
import EventStreaming

struct SensorWorkflow: Workflow {
    static let streamName = "readings"
}

struct Measured: Event {
    typealias Process = SensorWorkflow
    var celsius: Double
}

struct AuditWorkflow: Workflow {}

struct Checked: Event {
    typealias Process = AuditWorkflow
    var passed: Bool
}

let streaming = try EventStreaming { streaming in
    streaming.addStream(SensorWorkflow.self) { stream in
        stream.type = .ephemeral
        stream.capacity = .events(10_000)
        stream.overflow = .dropOldest
    }
    streaming.addStream(AuditWorkflow.self) { stream in
        stream.type = .persistent
    }
}

try await streaming.emitter.emit([Measured(celsius: 20.5), Measured(celsius: 21)])

let sensors = try await streaming.metadata(of: "readings")
print("appended \(sensors.head), kept \(sensors.count), dropped unseen \(sensors.dropped)")

try await streaming.emitter.emit(Checked(passed: true), expecting: .noStream)

func emitSecond() async throws {
    do {
        try await streaming.emitter.emit(Checked(passed: false), expecting: .noStream)
    } catch {
        guard error.code == .wrongExpectedVersion else { throw error }
        print("somebody was first: \(error.actualLength ?? 0) event")
    }
}
try await emitSecond()

var next = StreamOffset.zero
while true {
    let page = try await streaming.read("audit-events", from: next, limit: 500)
    guard let last = page.last else { break }
    print("\(page.count) events up to offset \(last.offset)")
    next = last.offset.advanced(by: 1)
}

try await streaming.trim("audit-events", before: next)
