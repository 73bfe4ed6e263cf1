import Testing

/// The page of guarantees names the tests that show them, and they exist.
@Suite("Every guarantee names tests that exist")
struct GuaranteesTests {
    private static let page = "docs/guarantees.md"

    /// The last cells of the rows of tables that have a column for tests.
    private func cells() throws -> [(row: String, names: [String])] {
        var isShown = false
        var cells: [(String, [String])] = []
        for line in try Repository.text(Self.page).split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("|") else {
                isShown = false
                continue
            }
            let columns = line.split(separator: "|").map { $0.trimmingPrefix(" ") }
            guard let last = columns.last else { continue }
            if last.hasPrefix("shown by") {
                isShown = true
            } else if isShown, !last.hasPrefix("---") {
                cells.append((String(line), last.matches(of: /`([^`]+)`/).map { String($0.1) }))
            }
        }
        return cells
    }

    /// `Suite.test` for every test there is.
    private func tests() throws -> Set<String> {
        var names: Set<String> = []
        for file in try Repository.files(in: "Tests", ending: ".swift") {
            let text = try Repository.text(file)
            for suite in text.matches(of: /(?:struct|class|enum) (\w+)/) {
                for test in text.matches(of: /func (\w+)/) {
                    names.insert("\(suite.1).\(test.1)")
                }
            }
        }
        return names
    }

    private func checks() throws -> Set<String> {
        var names: Set<String> = []
        for file in try Repository.files(in: "Sources/EventStreamingConformance", ending: ".swift") {
            for check in try Repository.text(file).matches(of: /StoreCheck\("([^"]+)"/) {
                names.insert(String(check.1))
            }
        }
        return names
    }

    @Test func everyNameLeadsSomewhere() throws {
        let known = try tests().union(try checks())
        let cells = try cells()
        #expect(cells.count > 30)
        for cell in cells {
            for name in cell.names {
                #expect(known.contains(name), "\(Self.page) names '\(name)', which does not exist.")
            }
        }
    }

    @Test func everyRowIsShown() throws {
        for cell in try cells() where cell.names.isEmpty {
            // Only what is said not to be covered may go without.
            let isExempt = cell.row.contains("effects outside of the transaction")
            #expect(isExempt, "No test shows this row of \(Self.page): \(cell.row)")
        }
    }
}
