import EventStreaming
import Testing

@Suite("The check of the configuration", .timeLimit(.minutes(5)))
struct ConfigurationTests {
    private static let bad =
        ConfigurationCase.badOptions + ConfigurationCase.badStreams + ConfigurationCase.badSubscriptions
        + ConfigurationCase.badLimits + ConfigurationCase.badHandlers + ConfigurationCase.badReceipts

    @Test(arguments: bad)
    func aProblemIsReportedAlone(_ configuration: ConfigurationCase) throws {
        let problems = ConfigurationCase.problems(of: configuration.configure)
        try #require(problems.count == 1, "\(problems)")
        for text in configuration.texts {
            #expect(problems[0].contains(text), "\(problems[0])")
        }
    }

    @Test(arguments: ConfigurationCase.good + ConfigurationCase.goodReceipts)
    func whatIsNoProblemIsAccepted(_ configuration: ConfigurationCase) async throws {
        let streaming = try EventStreaming(configure: configuration.configure)
        // The store finds nothing wrong either.
        await Workbench.refusal(.unknownStream) { try await streaming.metadata(of: "nothing-here") }
    }

    @Test func allProblemsAreReportedAtOnce() {
        let problems = ConfigurationCase.problems { streaming in
            streaming.options.limits.maximumPayloadBytes = 0
            streaming.options.shutdownTimeout = .zero
            streaming.addStream(OrderWorkflow.self) { stream in
                stream.scope = .crossService
                stream.capacity = .events(0)
            }
            streaming.addStream(NoteWorkflow.self) { $0.name = "no good" }
            streaming.addSubscription("mail") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .readReceipt
                subscription.prefetch = 0
                subscription.retry.jitter = 2
                subscription.consumer = "mailer"
            }
            streaming.addSubscription("lost") { _ in }
            streaming.addEvent(FirstForm.self)
            streaming.addEvent(SecondForm.self)
            streaming.commands.require(PlaceOrder.self)
            streaming.commands.on(CountWords.self) { _ in 1 }
            streaming.commands.on(CountWords.self) { _ in 2 }
            streaming.queries.require(FindWord.self)
        }
        let expected = [
            "maximumPayloadBytes", "shutdownTimeout", "crossService", "capacity", "NoteWorkflow",
            "readReceipt", "prefetch", "jitter", "no handler", "follows no stream", "OrderChanged", "PlaceOrder",
            "CountWords", "FindWord",
        ]
        #expect(problems.count == expected.count, "\(problems)")
        for text in expected {
            #expect(problems.contains { $0.contains(text) }, "\(text) is missing in \(problems)")
        }
    }

    @Test func everyProblemOfASubscriptionIsReported() {
        let problems = ConfigurationCase.problems { streaming in
            streaming.addStream(OrderWorkflow.self)
            for _ in 1...2 {
                streaming.addSubscription("m@il") { subscription in
                    subscription.consumer = "a b"
                    subscription.handle { _ in }
                }
            }
        }
        for text in ["subscription name", "consumer name", "follows no stream", "declared twice"] {
            #expect(problems.contains { $0.contains(text) }, "\(text) is missing in \(problems)")
        }
    }

    @Test func aStreamWithABadNameIsOneProblemAndNotOneMoreForEverySubscription() {
        let problems = ConfigurationCase.problems { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.name = "no good" }
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
        }
        #expect(problems.count == 1, "\(problems)")
    }

    @Test func aRetryPolicyWithoutEffectIsAlsoReportedWhereTheStreamSaysAtMostOnce() {
        let problems = ConfigurationCase.problems { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.semantics = .atMostOnce }
            streaming.addSubscription("mail") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.retry.maximumAttempts = 2
            }
        }
        #expect(problems.count == 1 && problems.first?.contains("at most once") == true, "\(problems)")
    }

    @Test func hostileNamesAreShownShortenedAndEscaped() throws {
        let name = "\u{1B}[31m\n" + String(repeating: "x", count: 5000)
        let problems = ConfigurationCase.problems { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.name = name }
            streaming.addSubscription(name) { $0.stream(name) }
        }
        #expect(!problems.isEmpty)
        for problem in problems {
            #expect(problem.count < 400 && !problem.contains("\u{1B}") && !problem.contains("\n"), "\(problem)")
        }
    }

    @Test func anErrorOfTheClosurePassesThrough() {
        #expect(throws: Failure(reason: "no settings file")) {
            try EventStreaming { streaming in
                streaming.options.limits.maximumHeaders = -1
                throw Failure(reason: "no settings file")
            }
        }
        #expect(throws: Failure.self) {
            try EventStreaming { try $0.addStream(OrderWorkflow.self) { _ in throw Failure() } }
        }
        #expect(throws: Failure.self) {
            try EventStreaming { try $0.addSubscription("mail") { _ in throw Failure() } }
        }
    }
}
