// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "Benchmarks", targets: ["Benchmarks"])
    ],
    dependencies: [
        .package(name: "swift-event-streaming", path: "..", traits: ["PostgreSQL"]),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        // What gRPC reaches by itself.
        .package(url: "https://github.com/grpc/grpc-swift-2.git", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", from: "2.9.2"),
    ],
    targets: [
        // Counts allocations and reads the heap; has an effect with glibc only.
        .target(name: "AllocationCounter"),
        // What C programs reach with the same databases.
        .systemLibrary(name: "CLibPQForBenchmarks", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "CBaselines",
            dependencies: ["CLibPQForBenchmarks"],
            linkerSettings: [.linkedLibrary("sqlite3")]
        ),
        // The tests' server: links to its files, as SwiftPM takes nothing from outside of a package.
        .target(
            name: "PostgreSQLTesting",
            exclude: ["server.sh"],
            swiftSettings: settings + [.define("PostgreSQL")]
        ),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "AllocationCounter",
                "CBaselines",
                "PostgreSQLTesting",
                .product(name: "CQRS", package: "swift-event-streaming"),
                .product(name: "EventStreaming", package: "swift-event-streaming"),
                .product(name: "EventStreamingConformance", package: "swift-event-streaming"),
                .product(name: "EventStreamingGRPC", package: "swift-event-streaming"),
                .product(name: "EventStreamingInMemory", package: "swift-event-streaming"),
                .product(name: "EventStreamingPostgreSQL", package: "swift-event-streaming"),
                .product(name: "EventStreamingSQLite", package: "swift-event-streaming"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
            ],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
