import EventStreaming

/// What the consumers of one subscription saw.
struct Tally: Equatable {
    /// The ids of the events they finished.
    var finished: Set<MessageID> = []
    /// How often they finished an event once more.
    var repeated = 0
    /// How many events each of them was the first to finish.
    var shares: [String: Int] = [:]
    /// How many events were finished after a later one of their workflow.
    var disordered = 0
    private var latest: [WorkflowID: StreamOffset] = [:]

    init() {}

    /// What is known of consumers that nobody here saw at work.
    init(finished: Set<MessageID>, repeated: Int) {
        self.finished = finished
        self.repeated = repeated
    }

    mutating func add(_ sighting: Sighting) {
        guard finished.insert(sighting.event).inserted else {
            repeated += 1
            return
        }
        shares[sighting.consumer, default: 0] += 1
        guard let workflow = sighting.workflow else { return }
        if let last = latest[workflow], sighting.offset < last {
            disordered += 1
        } else {
            latest[workflow] = sighting.offset
        }
    }
}
