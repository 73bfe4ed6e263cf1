// MARK: - Common rules

extension Violations {
    /// Requires at least one element, or one character. Rule: `notEmpty`.
    ///
    /// A string of spaces is not empty.
    ///
    /// - Parameters:
    ///   - value: The collection or string to check.
    ///   - field: The field at fault, as the sender knows it.
    public mutating func notEmpty(_ value: some Collection, field: @autoclosure () -> String) {
        check(!value.isEmpty, field: field(), rule: "notEmpty", message: "must not be empty")
    }

    /// Requires a number of characters, as people count them, within `bounds`. Rule: `length`.
    ///
    /// Looks at no more than one character past the upper bound, however long the string is.
    ///
    /// - Parameters:
    ///   - value: The string to check.
    ///   - bounds: The fewest and the most characters allowed.
    ///   - field: The field at fault, as the sender knows it.
    public mutating func length(
        _ value: some StringProtocol,
        in bounds: ClosedRange<Int>,
        field: @autoclosure () -> String
    ) {
        check(
            Self.characterCount(of: value, isWithin: bounds),
            field: field(),
            rule: "length",
            message: "must have \(bounds.lowerBound) to \(bounds.upperBound) characters"
        )
    }

    /// Requires a value within `bounds`. Rule: `range`.
    ///
    /// A value that is not ordered, such as a floating-point NaN, is within no bounds.
    ///
    /// - Parameters:
    ///   - value: The value to check.
    ///   - bounds: The least and the greatest value allowed.
    ///   - field: The field at fault, as the sender knows it.
    public mutating func range<Value: Comparable>(
        _ value: Value,
        in bounds: ClosedRange<Value>,
        field: @autoclosure () -> String
    ) {
        check(
            bounds.contains(value),
            field: field(),
            rule: "range",
            message: "must be between \(bounds.lowerBound) and \(bounds.upperBound)"
        )
    }

    private static func characterCount(of value: some StringProtocol, isWithin bounds: ClosedRange<Int>) -> Bool {
        func hasAtLeast(_ count: Int) -> Bool {
            count <= 0 || value.index(value.startIndex, offsetBy: count, limitedBy: value.endIndex) != nil
        }
        let isTooLong = bounds.upperBound < .max && hasAtLeast(bounds.upperBound + 1)
        return !isTooLong && hasAtLeast(bounds.lowerBound)
    }
}
