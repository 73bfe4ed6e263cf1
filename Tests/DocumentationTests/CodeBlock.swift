/// A block of code in a page of documentation.
struct CodeBlock {
    var language: String
    var code: String
    /// Whether a comment before the block says why it is not compiled.
    var isExempt: Bool

    /// The blocks of a page, in order.
    static func blocks(in page: String) -> [CodeBlock] {
        var blocks: [CodeBlock] = []
        var open: CodeBlock?
        var previous = ""
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                if let block = open {
                    blocks.append(block)
                    open = nil
                } else {
                    let isExempt = previous.hasPrefix("<!-- not compiled:")
                    open = CodeBlock(language: String(line.dropFirst(3)), code: "", isExempt: isExempt)
                }
            } else if open != nil {
                open?.code += line + "\n"
            }
            if !line.isEmpty {
                previous = String(line)
            }
        }
        return blocks
    }

    /// The lines without the indentation they share and without empty ones, for comparing.
    static func normalized(_ code: String) -> [Substring] {
        let lines = code.split(separator: "\n").filter { !$0.allSatisfy { $0 == " " } }
        let shared = lines.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        return lines.map { $0.dropFirst(shared) }
    }

    /// Whether the code stands in `source`, at whatever indentation.
    func stands(in source: String) -> Bool {
        let wanted = Self.normalized(code)
        let lines = source.split(separator: "\n").filter { !$0.allSatisfy { $0 == " " } }
        guard !wanted.isEmpty, lines.count >= wanted.count else { return false }
        return (0...lines.count - wanted.count).contains { start in
            let candidate = lines[start..<start + wanted.count].joined(separator: "\n")
            return Self.normalized(candidate) == wanted
        }
    }
}
