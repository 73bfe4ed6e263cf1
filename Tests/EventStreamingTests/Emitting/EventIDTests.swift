import EventStreaming
import Testing

@Suite("Ids and expected versions", .timeLimit(.minutes(5)))
struct EventIDTests {
    private let streaming: EventStreaming
    private let id = MessageID(high: 0x0199_F0C8_6F3A_7C1E, low: 0x8A55_3B1D_6B0F_9E21)

    init() throws {
        streaming = try Workbench.service()
    }

    // MARK: - Ids

    @Test func aGivenIDIsKept() async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1), id: id)
        #expect(try await streaming.read(Workbench.orders).first?.id == id)
    }

    @Test func theSameEventUnderTheSameIDIsKeptOnce() async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 0))
        let first = try await streaming.emitter.emit(OrderPlaced(number: 1), id: id)
        try await streaming.emitter.emit(OrderPlaced(number: 2))
        let again = try await streaming.emitter.emit(OrderPlaced(number: 1), id: id)
        #expect(!first.isDuplicate && again.isDuplicate)
        #expect(first.offsets == again.offsets)
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(3))
    }

    @Test func aRepetitionSucceedsWhateverIsExpected() async throws {
        let first = try await streaming.emitter.emit(OrderPlaced(number: 1), id: id, expecting: .noStream)
        let again = try await streaming.emitter.emit(OrderPlaced(number: 1), id: id, expecting: .noStream)
        #expect(again.isDuplicate && again.offsets == first.offsets)
    }

    @Test func anotherContentUnderTheSameIDIsAConflict() async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1), id: id)
        await Workbench.refusal(.eventIDConflict, saying: id.description) {
            try await streaming.emitter.emit(OrderPlaced(number: 2), id: id)
        }
        await Workbench.refusal(.eventIDConflict, saying: id.description) {
            try await streaming.emitter.emit(OrderShipped(number: 1), id: id)
        }
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(1))
        try await Workbench.expectWorking(streaming)
    }

    @Test func theSameIDMayBeUsedInAnotherStream() async throws {
        let streaming = try Workbench.service { $0.addStream(NoteWorkflow.self) { $0.type = .persistent } }
        try await streaming.emitter.emit(OrderPlaced(number: 1), id: id)
        let note = try await streaming.emitter.emit(NoteTaken(text: "same id"), id: id)
        #expect(!note.isDuplicate)
    }

    @Test(arguments: [MessageID(high: 0, low: 0), MessageID(high: .max, low: .max)])
    func anyBitsAreAnID(_ id: MessageID) async throws {
        let first = try await streaming.emitter.emit(OrderPlaced(number: 1), id: id)
        try await Workbench.expectWorking(streaming)
        let again = try await streaming.emitter.emit(OrderPlaced(number: 1), id: id)
        #expect(again.isDuplicate && again.offsets == first.offsets)
    }

    @Test func idsMadeByTheServiceAreUniqueAndGrow() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                group.addTask {
                    try await streaming.emitter.emit([OrderPlaced(number: number), OrderPlaced(number: -1)])
                }
            }
            try await group.waitForAll()
        }
        let ids = try await streaming.read(Workbench.orders, limit: 1000).map(\.id)
        #expect(Set(ids).count == 100)
        for start in stride(from: 0, to: 100, by: 2) {
            #expect(ids[start] < ids[start + 1])
        }
    }

    // MARK: - Expected versions

    @Test func aMetExpectationLetsTheEventIn() async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1), expecting: .noStream)
        try await streaming.emitter.emit(OrderPlaced(number: 2), expecting: .exists)
        try await streaming.emitter.emit(OrderPlaced(number: 3), expecting: .exactly(StreamOffset(2)))
        try await streaming.emitter.emit([OrderPlaced(number: 4)], expecting: .exactly(StreamOffset(3)))
        try await streaming.emitter.emit(OrderPlaced(number: 5), expecting: .any)
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(5))
    }

    @Test(arguments: [
        ExpectedVersion.noStream, .exactly(.zero), .exactly(StreamOffset(2)), .exactly(StreamOffset(.max)),
    ])
    func anExpectationThatIsNotMetKeepsTheEventOut(_ expected: ExpectedVersion) async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        let error = await Workbench.refusal(.wrongExpectedVersion, saying: Workbench.orders, "1") {
            try await streaming.emitter.emit(OrderPlaced(number: 2), expecting: expected)
        }
        #expect(error?.actualLength == 1)
        let batch = await Workbench.refusal(.wrongExpectedVersion) {
            try await streaming.emitter.emit([OrderPlaced(number: 2), OrderPlaced(number: 3)], expecting: expected)
        }
        #expect(batch?.actualLength == 1)
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(1))
        try await Workbench.expectWorking(streaming)
    }

    @Test func anEmptyStreamDoesNotExistYet() async throws {
        let error = await Workbench.refusal(.wrongExpectedVersion) {
            try await streaming.emitter.emit(OrderPlaced(number: 1), expecting: .exists)
        }
        #expect(error?.actualLength == 0)
    }

    @Test func ofManyWhoExpectTheSameVersionOneWins() async throws {
        let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<50 {
                group.addTask {
                    do throws(EventStreamingError) {
                        try await streaming.emitter.emit(OrderPlaced(number: number), expecting: .exactly(.zero))
                        return true
                    } catch {
                        #expect(error.code == .wrongExpectedVersion)
                        return false
                    }
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(wins == 1)
        #expect(try await streaming.metadata(of: Workbench.orders).head == StreamOffset(1))
    }
}
