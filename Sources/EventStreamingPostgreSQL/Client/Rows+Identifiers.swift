#if PostgreSQL
import EventStreamingCore

extension Rows {
    /// A name that this store has written.
    ///
    /// - Throws: `storeDamaged` when it is none.
    func name<Name: TextIdentifier>(
        _ row: Int,
        _ column: Int,
        as type: Name.Type = Name.self
    ) throws(EventStreamingError) -> Name {
        try Name(stored: text(row, column))
    }

    /// One of a few words that this store has written.
    ///
    /// - Throws: `storeDamaged` when it is another.
    func word<Word: RawRepresentable>(
        _ row: Int,
        _ column: Int,
        as type: Word.Type = Word.self
    ) throws(EventStreamingError) -> Word where Word.RawValue == String {
        let text = text(row, column)
        guard let word = Word(rawValue: text) else { throw .damaged(text, "a \(Word.self)") }
        return word
    }
}

extension TextIdentifier {
    /// A name as the database has it.
    ///
    /// - Throws: `storeDamaged` when it is none.
    init(stored text: String) throws(EventStreamingError) {
        do throws(EventStreamingError) {
            try self.init(text)
        } catch {
            throw .damaged(text, "a \(Self.self)")
        }
    }
}

extension EventStreamingError {
    fileprivate static func damaged(_ text: String, _ expectation: String) -> Self {
        Self(
            .storeDamaged,
            "The database is damaged: \(printable(text)) was found where this store writes \(expectation)."
        )
    }
}
#endif
