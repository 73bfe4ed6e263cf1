import CQRS
import Testing

@Suite struct ViolationsTests {
    private func rules(_ record: (inout Violations) -> Void) -> [String] {
        var violations = Violations()
        record(&violations)
        #expect(violations.isEmpty == violations.all.isEmpty)
        return violations.all.map(\.rule)
    }

    @Test func aCheckRecordsExactlyWhenItsConditionFails() {
        var violations = Violations()
        violations.check(true, field: "a", rule: "holds", message: "never seen")
        #expect(violations.isEmpty)
        violations.check(false, field: "b", rule: "fails", message: "is wrong")
        #expect(violations.all == [Violation(field: "b", rule: "fails", message: "is wrong")])
        #expect(!violations.isEmpty)
    }

    @Test func textsOfAKeptRuleAreNotMade() {
        let recorder = Recorder()
        func text() -> String {
            recorder.record("made")
            return "text"
        }
        var violations = Violations()
        violations.check(true, field: text(), rule: text(), message: text())
        violations.notEmpty("a", field: text())
        violations.length("a", in: 1...1, field: text())
        violations.range(1, in: 1...1, field: text())
        #expect(recorder.entries.isEmpty)
        violations.check(false, field: text(), rule: text(), message: text())
        #expect(recorder.entries.count == 3)
    }

    @Test func violationsAreKeptInOrderAndMayRepeat() {
        let first = Violation(field: "a", rule: "one", message: "is wrong")
        let second = Violation(field: "b", rule: "two", message: "is wrong")
        var violations = Violations()
        violations.add(first)
        violations.add(second)
        violations.add(first)
        #expect(violations.all == [first, second, first])
    }

    @Test func notEmptyTakesStringsAndCollections() {
        #expect(rules { $0.notEmpty("", field: "f") } == ["notEmpty"])
        #expect(rules { $0.notEmpty([Int](), field: "f") } == ["notEmpty"])
        #expect(rules { $0.notEmpty(" ", field: "f") } == [])
        #expect(rules { $0.notEmpty([1], field: "f") } == [])
    }

    @Test(arguments: [
        ("", 0...0, true), ("", 0...3, true), ("", 1...3, false),
        ("a", 1...1, true), ("ab", 1...1, false), ("ab", 3...4, false),
        ("abc", 3...4, true), ("abcd", 3...4, true), ("abcde", 3...4, false),
        ("abc", 0...Int.max, true), ("abc", 4...Int.max, false), ("abc", -5...3, true), ("", -5...(-1), false),
    ])
    func lengthIncludesBothBounds(text: String, bounds: ClosedRange<Int>, isValid: Bool) {
        #expect(rules { $0.length(text, in: bounds, field: "f") } == (isValid ? [] : ["length"]))
    }

    @Test func lengthCountsCharactersAsPeopleDo() {
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}"
        #expect(rules { $0.length(family, in: 1...1, field: "f") } == [])
        #expect(rules { $0.length("e\u{301}e\u{301}", in: 2...2, field: "f") } == [])
        #expect(rules { $0.length("abcdef".dropFirst(4), in: 2...2, field: "f") } == [])
    }

    @Test func rangeIncludesBothBoundsAndRejectsNotANumber() {
        #expect(rules { $0.range(1, in: 1...3, field: "f") } == [])
        #expect(rules { $0.range(3, in: 1...3, field: "f") } == [])
        #expect(rules { $0.range(0, in: 1...3, field: "f") } == ["range"])
        #expect(rules { $0.range(4, in: 1...3, field: "f") } == ["range"])
        #expect(rules { $0.range(Double.nan, in: 0...1, field: "f") } == ["range"])
        #expect(rules { $0.range("m", in: "a"..."z", field: "f") } == [])
    }

    @Test func messagesSayWhatIsAllowedAndNotWhatWasSent() {
        var violations = Violations()
        violations.length("secret", in: 1...3, field: "f")
        violations.range(4711, in: 1...3, field: "f")
        #expect(violations.all.map(\.message) == ["must have 1 to 3 characters", "must be between 1 and 3"])
    }
}
