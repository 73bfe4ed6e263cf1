import DequeModule
import EventStreamingCore
import EventStreamingStoreKit

/// The open dead letters of a subscription.
struct DeadLetterBook: Sendable {
    private struct Entry: Sendable {
        let letter: DeadLetter
        var isOpen = true

        var number: Int64 { letter.number.rawValue }
    }

    /// In order of the numbers; closed ones are taken out now and then.
    private var entries = Deque<Entry>()
    private var closedCount = 0
    /// How many are open for each position, those without a number included.
    private var openCounts: [ConsumerID?: Int] = [:]

    func openCount(of consumer: ConsumerID?) -> Int {
        openCounts[consumer] ?? 0
    }

    /// Counts a dead letter that will be entered.
    mutating func expect(_ consumer: ConsumerID?) {
        openCounts[consumer, default: 0] += 1
    }

    private mutating func forget(_ consumer: ConsumerID?) {
        let count = openCount(of: consumer) - 1
        openCounts[consumer] = count > 0 ? count : nil
    }

    /// Enters a dead letter that was expected. Numbers ascend.
    mutating func enter(_ letter: DeadLetter, number: Int64) {
        entries.append(Entry(letter: letter.numbered(StreamOffset(number))))
    }

    /// The index of the first entry whose number is at least `number`.
    private func index(of number: Int64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = low + (high - low) / 2
            if entries[middle].number < number {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    func open(in numbers: Range<Int64>, limit: Int) -> [DeadLetter] {
        var letters: [DeadLetter] = []
        var index = index(of: numbers.lowerBound)
        while index < entries.count, entries[index].number < numbers.upperBound, letters.count < limit {
            if entries[index].isOpen {
                letters.append(entries[index].letter)
            }
            index += 1
        }
        return letters
    }

    /// - Returns: Whether the dead letter was open.
    mutating func close(_ number: Int64) -> Bool {
        let index = index(of: number)
        guard index < entries.count, entries[index].number == number, entries[index].isOpen else { return false }
        entries[index].isOpen = false
        forget(entries[index].letter.consumer)
        closedCount += 1
        if closedCount > entries.count / 2 {
            entries.removeAll { !$0.isOpen }
            closedCount = 0
        }
        return true
    }

    /// Notes the partition keys of what is open.
    func add(to parked: inout ParkedKeys) {
        for entry in entries where entry.isOpen {
            parked.add(PartitionKey(of: entry.letter.event), at: entry.letter.event.offset.rawValue)
        }
    }

    /// Forgets what is before `number`.
    mutating func trim(before number: Int64) {
        while let first = entries.first, first.number < number {
            if first.isOpen {
                forget(first.letter.consumer)
            } else {
                closedCount -= 1
            }
            entries.removeFirst()
        }
    }
}

extension DeadLetter {
    fileprivate func numbered(_ number: StreamOffset) -> DeadLetter {
        DeadLetter(
            number: number,
            event: event,
            stream: stream,
            subscription: subscription,
            consumer: consumer,
            reason: reason,
            attempts: attempts,
            firstFailure: firstFailure,
            lastFailure: lastFailure
        )
    }
}
