/// One walk over a value that counts the bytes of its compact JSON form.
///
/// Values are encoded one inside the other, so what is known about the value that is being encoded lives in ``slot``
/// while its containers are in use, and on the call stack while values inside of it are encoded. Only containers that
/// exist side by side (nested ones, and super encoders) need a slot of their own.
final class PayloadMeasurement {
    /// What is known about one place for a value.
    struct Slot {
        var isStarted = false
        var hasEntries = false
    }

    /// A slot for a container that exists next to others.
    final class OwnSlot {
        var slot = Slot()
    }

    private let limit: Int
    private var size = 0
    private var depth = 0
    private var slot = Slot()
    /// Super encoders that wrote nothing; each of them stands for an empty object.
    private var unusedEncoders = 0
    private(set) var problem: PayloadProblem?

    init(limit: Int) {
        self.limit = limit
    }

    func finish() throws -> Int {
        size += 2 * unusedEncoders
        try add(0)
        if let problem {
            throw problem
        }
        return size
    }

    func fail(_ problem: PayloadProblem) -> PayloadProblem {
        self.problem = self.problem ?? problem
        return problem
    }

    // MARK: - Values

    func encode<Value: Encodable>(_ value: Value) throws {
        if Value.self == [UInt8].self {
            // The types are identical, which a cast of generic values would find out element by element.
            return try add(PayloadSizes.ofList(unsafeBitCast(value, to: [UInt8].self)))
        }
        guard depth < PayloadMeter.maximumDepth else { throw fail(.tooDeep) }
        depth += 1
        let outer = slot
        slot = Slot()
        try value.encode(to: PayloadSizeEncoder(measurement: self, own: nil))
        if !slot.isStarted {
            size += 2
        }
        slot = outer
        depth -= 1
        try add(0)
    }

    func add(_ count: Int) throws {
        size += count
        if size > limit {
            throw fail(.tooLarge(size: size, limit: limit))
        }
    }

    func addNumber(_ value: some BinaryFloatingPoint & CustomStringConvertible) throws {
        guard value.isFinite else { throw fail(.notFinite) }
        let text = value.description
        try add(text.utf8.count - (text.hasSuffix(".0") ? 2 : 0))
    }

    // MARK: - Containers

    /// Counts the brackets of the container that fills a slot, once.
    func openContainer(_ own: OwnSlot?) {
        if let own {
            if !own.slot.isStarted {
                own.slot.isStarted = true
                unusedEncoders -= 1
                size += 2
            }
        } else if !slot.isStarted {
            slot.isStarted = true
            size += 2
        }
    }

    /// Notes that a slot is filled by a single value, which counts itself.
    func startSingleValue(_ own: OwnSlot?) {
        if let own {
            if !own.slot.isStarted {
                own.slot.isStarted = true
                unusedEncoders -= 1
            }
        } else {
            slot.isStarted = true
        }
    }

    /// Counts the comma between entries.
    func beginEntry(_ own: OwnSlot?) {
        if let own {
            size += own.slot.hasEntries ? 1 : 0
            own.slot.hasEntries = true
        } else {
            size += slot.hasEntries ? 1 : 0
            slot.hasEntries = true
        }
    }

    func addKey(_ key: some CodingKey) {
        size += PayloadSizes.ofText(key.stringValue) + 1
    }

    /// The slot of a container or encoder next to others.
    func makeSlot() -> OwnSlot {
        unusedEncoders += 1
        return OwnSlot()
    }
}
