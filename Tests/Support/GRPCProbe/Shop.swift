import EventStreaming

/// As in the tests.
enum ShopWorkflow: Workflow {
    static let streamName = "shop"
}

/// As in the tests.
struct OrderPlaced: Event {
    typealias Process = ShopWorkflow
    var number: Int
}
