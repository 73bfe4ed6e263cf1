/// A generator whose first word a test chooses, for the ends of random ranges; the others are random.
struct FirstWordGenerator: RandomNumberGenerator {
    private var word: UInt64?
    private var others = SystemRandomNumberGenerator()

    init(_ word: UInt64) {
        self.word = word
    }

    mutating func next() -> UInt64 {
        word.take() ?? others.next()
    }
}
