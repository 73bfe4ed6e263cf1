import EventStreaming
import Testing

@testable import UserService

@Suite("Admin entry")
struct AdminEntryTests {
    @Test("Receipts are counted by their states; who waits for a reminder has not read")
    func counts() {
        let entry = AdminEntry(
            admin: "admin-1",
            reminders: 3,
            [.read, .delivered, .requeued, .expired, .read, .delivered, .expired, .expired, .expired]
        )
        #expect(entry.text == "  admin-1: 2 read, 3 unread, 4 given up; 3 reminders")
    }
}
