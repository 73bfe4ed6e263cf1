/// The way of one type of message from a bus to its handler, middleware and validation folded in.
///
/// A final class, so that a table of routes to different types of message needs no boxes.
final class Route<Message: BusMessage>: Sendable {
    let entry: BusNext<Message>

    init(entry: BusNext<Message>) {
        self.entry = entry
    }
}
