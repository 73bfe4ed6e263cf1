import EventStreaming

/// An event like those of an application: some fields, and a text of 256 characters.
struct OrderPlaced: BenchmarkEvent {
    typealias Process = BenchmarkWorkflow

    let label: Label
    let customer: String
    let amount: Double
    let isExpress: Bool
    let coupon: String?
    let note: String

    init(_ label: Label) {
        self.label = label
        customer = "customer-\(label.number & 0xFFF)"
        amount = Double(label.number & 0xFFFF) / 100
        isExpress = label.number & 1 == 0
        coupon = nil
        note = String(unsafeUninitializedCapacity: 256) { buffer in
            buffer.update(repeating: UInt8(ascii: "a") + UInt8(label.number & 0xF))
            return buffer.count
        }
    }
}
