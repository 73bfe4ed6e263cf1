import EventStreamingCore

extension StoredEvent {
    /// What an event costs of a credit in bytes: its payload and its headers.
    var creditBytes: Int64 {
        var size = Int64(self.size)
        guard let knownContext else { return size }
        for (name, value) in knownContext.headers {
            size &+= Int64(name.utf8.count) &+ Int64(value.utf8.count)
        }
        return size
    }
}
