// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let inMemoryLogging = Target.Dependency.product(name: "InMemoryLogging", package: "swift-log")

let package = Package(
    name: "swift-event-streaming",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "CQRS", targets: ["CQRS"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2")
    ],
    targets: [
        .target(name: "CQRS", dependencies: [log], swiftSettings: settings),
        .testTarget(name: "CQRSTests", dependencies: ["CQRS", log, inMemoryLogging], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
