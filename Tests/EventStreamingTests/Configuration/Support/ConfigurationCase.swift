import EventStreaming
import Testing

/// One way to configure a service, good or bad.
struct ConfigurationCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// What the problem says; every one of these texts.
    let texts: [String]
    let configure: @Sendable (inout EventStreamingBuilder) -> Void

    var testDescription: String { name }

    init(_ name: String, _ texts: String..., configure: @escaping @Sendable (inout EventStreamingBuilder) -> Void) {
        self.init(name, texts: texts, configure: configure)
    }

    /// A case about one stream, that of orders.
    static func stream(
        _ name: String,
        _ texts: String...,
        configure: @escaping @Sendable (inout StreamConfiguration) -> Void
    ) -> Self {
        Self(name, texts: texts) { $0.addStream(OrderWorkflow.self, configure: configure) }
    }

    /// A case about one subscription, `mail`, to the stream of orders.
    static func subscription(
        _ name: String,
        _ texts: String...,
        configure: @escaping @Sendable (inout SubscriptionConfiguration) -> Void
    ) -> Self {
        Self(name, texts: texts) { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("mail") { subscription in
                subscription.stream(OrderWorkflow.self)
                configure(&subscription)
            }
        }
    }

    init(_ name: String, texts: [String], configure: @escaping @Sendable (inout EventStreamingBuilder) -> Void) {
        self.name = name
        self.texts = texts
        self.configure = configure
    }

    /// Expects that this configuration is refused, and returns its problems.
    static func problems(
        at location: SourceLocation = #_sourceLocation,
        of configure: (inout EventStreamingBuilder) throws -> Void
    ) -> [String] {
        do {
            _ = try EventStreaming(configure: configure)
            Issue.record("The configuration was accepted.", sourceLocation: location)
            return []
        } catch let error as EventStreamingError {
            #expect(error.code == .invalidConfiguration, sourceLocation: location)
            let count = error.problems.count == 1 ? "1 problem" : "\(error.problems.count) problems"
            #expect(error.message == "The configuration has \(count):", sourceLocation: location)
            for problem in error.problems {
                #expect(error.description.contains("\n  - \(problem)"), sourceLocation: location)
            }
            return error.problems
        } catch {
            Issue.record("Expected an EventStreamingError, got \(error).", sourceLocation: location)
            return []
        }
    }
}

/// Two events that want the same place in a store, and one that differs by its version only.
struct FirstForm: Event {
    typealias Process = OrderWorkflow
    static let eventType = "OrderChanged"
}

struct SecondForm: Event {
    typealias Process = OrderWorkflow
    static let eventType = "OrderChanged"
}

struct ThirdForm: Event {
    typealias Process = OrderWorkflow
    static let eventType = "OrderChanged"
    static let version = 2
}

/// A process whose default stream name cannot be used.
enum PaymentWorkflow<Currency: Sendable>: Workflow {}
