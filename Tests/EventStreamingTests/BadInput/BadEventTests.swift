import EventStreaming
import Testing

@Suite("Events that cannot be kept", .timeLimit(.minutes(5)))
struct BadEventTests {
    private let streaming: EventStreaming

    init() throws {
        streaming = try Self.service(maximumPayloadBytes: 1_000_000)
    }

    private static func service(maximumPayloadBytes: Int) throws -> EventStreaming {
        try Workbench.service { streaming in
            streaming.options.limits.maximumPayloadBytes = maximumPayloadBytes
            streaming.commands.on(TryOrder.self, in: OrderWorkflow.self) { command, workflow in
                workflow.emit(OrderPlaced(number: command.number))
                workflow.emit(StubbornEvent())
                return "never"
            }
        }
    }

    private func expectNothingStored() async throws {
        #expect(try await streaming.metadata(of: Workbench.orders).head == .zero)
        try await Workbench.expectWorking(streaming)
    }

    @Test func anEventThatThrowsWhileEncodedIsRefusedWithItsError() async throws {
        let error = await Workbench.refusal(.encodingFailed, saying: "StubbornEvent") {
            try await streaming.emitter.emit(StubbornEvent())
        }
        #expect(error?.underlying as? Failure == Failure(reason: "stubborn"))
        #expect(error?.isRetriable == false)
        await Workbench.refusal(.encodingFailed) {
            try await streaming.emitter.emit([StubbornEvent(), StubbornEvent()])
        }
        try await expectNothingStored()
    }

    @Test func inAWorkflowItKeepsAllEventsFromBeingEmitted() async throws {
        await Workbench.refusal(.encodingFailed, saying: "StubbornEvent") {
            try await streaming.commands.send(TryOrder(number: 1))
        }
        try await expectNothingStored()
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, .signalingNaN])
    func numbersThatAreNotFiniteAreRefused(_ number: Double) async throws {
        await Workbench.refusal(.encodingFailed, saying: "OrderWeighed", "not finite", "use an optional") {
            try await streaming.emitter.emit(OrderWeighed(kilograms: number))
        }
        try await expectNothingStored()
    }

    @Test(arguments: [Double.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, 0.1])
    func everyFiniteNumberIsKept(_ number: Double) async throws {
        try await streaming.emitter.emit(OrderWeighed(kilograms: number))
        let stored = Workbench.values(OrderWeighed.self, in: try await streaming.read(Workbench.orders))
        #expect(stored.map { $0?.kilograms.bitPattern } == [number.bitPattern])
    }

    @Test(arguments: [600, 5000])
    func anEventThatIsNestedTooDeeplyIsRefused(_ depth: Int) async throws {
        await Workbench.refusal(.encodingFailed, saying: "nested deeper") {
            try await streaming.emitter.emit(OrderNested(depth: depth))
        }
        try await expectNothingStored()
    }

    @Test func tenMegabytesAreTooMuchByDefaultAndFineWhenAllowed() async throws {
        let large = OrderPlaced(number: 1, note: String(repeating: "x", count: 10_000_000))
        let error = await Workbench.refusal(.payloadTooLarge, saying: "OrderPlaced", "1000000", "raise") {
            try await streaming.emitter.emit(large)
        }
        #expect((error?.description.count ?? .max) < 500, "The payload is not shown.")
        await Workbench.refusal(.payloadTooLarge) { try await streaming.emitter.emit([large]) }
        try await expectNothingStored()

        let generous = try Self.service(maximumPayloadBytes: 20_000_000)
        try await generous.emitter.emit(large)
        let stored = try await generous.read(Workbench.orders)
        #expect(Workbench.values(OrderPlaced.self, in: stored) == [large])
        #expect(stored[0].size > 10_000_000)
        #expect(try await generous.metadata(of: Workbench.orders).bytes == stored[0].size)
        try await Workbench.expectWorking(generous)
    }

    @Test(arguments: [(-1, 24), (.min, 24), (0, 0), (1000, 1000)] as [(Int, Int)])
    func aSizeThatAnEventTellsIsBelievedUnlessItIsNegative(_ told: Int, _ size: Int) async throws {
        try await streaming.emitter.emit(OrderSized(payloadSize: told))
        #expect(try await streaming.read(Workbench.orders).map(\.size) == [size])
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: [1_000_001, Int.max])
    func aSizeThatAnEventTellsIsLimited(_ told: Int) async throws {
        await Workbench.refusal(.payloadTooLarge, saying: "OrderSized", "\(told)", "1000000", "raise") {
            try await streaming.emitter.emit(OrderSized(payloadSize: told))
        }
        try await expectNothingStored()
    }

    @Test func theLimitIsExact() async throws {
        // {"note":"","number":1} has 22 bytes.
        let streaming = try Self.service(maximumPayloadBytes: 100)
        try await streaming.emitter.emit(OrderPlaced(number: 1, note: String(repeating: "x", count: 78)))
        await Workbench.refusal(.payloadTooLarge) {
            try await streaming.emitter.emit(OrderPlaced(number: 1, note: String(repeating: "x", count: 79)))
        }
        #expect(try await streaming.read(Workbench.orders).map(\.size) == [100])
        try await Workbench.expectWorking(streaming)
    }
}
