// Read receipts: what users were shown, and what they have read.
import EventStreaming

struct NotificationWorkflow: Workflow {}

struct BackupFailed: Event {
    typealias Process = NotificationWorkflow
    var server: String
}

let streaming = try EventStreaming { streaming in
    streaming.addStream(NotificationWorkflow.self) { stream in
        stream.type = .persistent
    }
    streaming.addEvent(BackupFailed.self)
    streaming.addSubscription("admin-notifications") { subscription in
        subscription.stream(NotificationWorkflow.self)
        subscription.mode = .readReceipt
        subscription.onUnreadTimeout = .hours(24)
        subscription.onUnreadExpired = .requeue
    }
}

func show(_ event: any Event) async {
    print("admin-123 is shown \(event)")
}

for server in ["db-1", "db-2", "db-3"] {
    try await streaming.emitter.emit(BackupFailed(server: server))
}

// The first is read where it is shown; the others are shown, and may be read later.
var shown: [MessageID] = []
for try await notification in try streaming.subscribe(to: "admin-notifications", as: "admin-123") {
    await show(notification.event)
    shown.append(notification.record.id)
    if shown.count == 1 {
        try await notification.markAsRead()  // The user has confirmed it.
    }
    if shown.count == 3 {
        try await notification.acknowledge()  // Shown, and not read yet.
        break
    }
}

// A request from the user's browser comes to any process that shares the store; no loop is needed.
func page(of user: String) async throws -> [String] {
    let count = try await streaming.unreadCount(of: "admin-notifications", for: user)
    let unread = try await streaming.unread(of: "admin-notifications", for: user, limit: 50)
    return try ["\(count) unread"] + unread.map { "\(try $0.event), shown \($0.deliveredAt)" }
}

func userClicked(_ event: MessageID, _ user: String) async throws {
    try await streaming.markAsRead(event, of: "admin-notifications", by: user)
}

func userClickedAll(_ user: String, before newest: StreamOffset? = nil) async throws -> Int {
    try await streaming.markAllAsRead(of: "admin-notifications", by: user, before: newest)
}

for line in try await page(of: "admin-123") {
    print(line)
}
try await userClicked(shown[1], "admin-123")

// Who has seen it?
for receipt in try await streaming.receipts(for: shown[1], in: "admin-notifications") {
    print(receipt.consumer, receipt.status, receipt.readAt.map { "\($0)" } ?? "-")
}

let rest = try await userClickedAll("admin-123")
print("marked \(rest) more")
let left = try await streaming.unreadCount(of: "admin-notifications", for: "admin-123")
precondition(rest == 1 && left == 0)
