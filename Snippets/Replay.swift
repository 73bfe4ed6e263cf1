// Retention and replay: how long a stream keeps its events, and how to see them once more.
import EventStreaming

struct UserWorkflow: Workflow {
    static let streamName = "user-events"
}

struct UserAdded: Event {
    typealias Process = UserWorkflow
    var name: String
}

struct UserRemoved: Event {
    typealias Process = UserWorkflow
    var name: String
}

let streaming = try EventStreaming { streaming in
    streaming.addStream(UserWorkflow.self) { stream in
        stream.type = .persistent
        stream.retention = .maxAge(.days(90))
        stream.isReplayEnabled = true
    }
    streaming.addSubscription("directory") { subscription in
        subscription.stream(UserWorkflow.self)
        subscription.mode = .broadcast
    }
    streaming.addEvent(UserAdded.self)
    streaming.addEvent(UserRemoved.self)
}

try await streaming.emitter.emit([UserAdded(name: "Ada"), UserAdded(name: "Alan"), UserAdded(name: "Grace")])
try await streaming.emitter.emit(UserRemoved(name: "Alan"))

func replay() async throws {
    let lastWeek = try await streaming.replay("user-events", from: .timestamp(.now - .days(7)), to: .latest)
    for try await replayed in lastWeek {
        print(replayed.offset, try replayed.event)
    }
}
try await replay()

func replayOneType() async throws {
    for try await added in try await streaming.replay(UserAdded.self) {
        print("added \(added.event.name) at \(added.record.timestamp)")
    }
}
try await replayOneType()

func replayWithProgress() async throws {
    var options = ReplayOptions(from: .beginning)
    options.eventTypes = [UserAdded.eventType]
    options.filter = { $0.size < 10_000 }
    options.maximumEvents = 1000
    options.speed = .factor(3600)
    options.onProgress = { progress in
        print("\(Int(progress.fraction * 100)) %, \(Int(progress.rate)) events/s")
    }
    let replay = try await streaming.replayService.replayStream("user-events", options)
    for try await replayed in replay {
        print(replayed.offset, replay.progress.done, replay.progress.total)
    }
}
try await replayWithProgress()

func catchUp() async throws {
    var names: [String] = []
    for try await delivery in try streaming.subscribe(to: "directory", as: "search-index", from: .beginning) {
        if let added = delivery.event(as: UserAdded.self) {
            names.append(added.name)
        }
        if delivery.missedEvents > 0 {
            print("\(delivery.missedEvents) events were removed before they were seen; start over from a snapshot")
        }
        if delivery.event is UserRemoved { break }
    }
    print("caught up:", names)
}
try await catchUp()

func moveBack() async throws {
    let position = try await streaming.setPosition(of: "directory", consumer: "search-index", to: .beginning)
    print("the search index begins again at \(position)")
}
try await moveBack()

func applyRetention() async throws {
    let result = try await streaming.applyRetention(to: "user-events")
    print("removed \(result.count) events; missed by \(result.missed.map(\.subscription))")
    let users = try await streaming.metadata(of: "user-events")
    print("appended \(users.length), kept \(users.count) events with \(users.bytes) bytes")
}
try await applyRetention()
