import EventStreaming
import Testing

@testable import UserService

@Suite("Member entry")
struct MemberEntryTests {
    @Test(
        "Numbers in short",
        arguments: [([], ""), ([4], "4"), ([0, 1, 2], "0–2"), ([0, 2, 3, 7], "0, 2–3, 7")] as [([Int], String)]
    )
    func ranges(_ numbers: [Int], _ text: String) {
        #expect(numbers.asRanges == text)
    }

    @Test("Everybody who has partitions or has handled events is named")
    func all() throws {
        let partitions = [
            PartitionInfo(number: 0, owner: try ConsumerID("b"), epoch: 1),
            PartitionInfo(number: 1, owner: try ConsumerID("a"), epoch: 1),
            PartitionInfo(number: 2, owner: try ConsumerID("b"), epoch: 1),
            PartitionInfo(number: 3, owner: nil, epoch: 1),
        ]
        var tally = Tally()
        tally.shares = ["b": 7, "gone": 2]
        #expect(
            MemberEntry.all(partitions, tally) == [
                MemberEntry(member: "a", partitions: [1], events: 0),
                MemberEntry(member: "b", partitions: [0, 2], events: 7),
                MemberEntry(member: "gone", partitions: [], events: 2),
                MemberEntry(member: "nobody", partitions: [3], events: 0),
            ]
        )
    }
}
