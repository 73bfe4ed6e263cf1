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
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let metricsTestKit = Target.Dependency.product(name: "MetricsTestKit", package: "swift-metrics")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let inMemoryTracing = Target.Dependency.product(name: "InMemoryTracing", package: "swift-distributed-tracing")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite3 = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let grpc = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grpcTransport = Target.Dependency.product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport")
let grpcProtobuf = Target.Dependency.product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
let jwtKit = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")

// Every edge to a native library carries its trait: without it, the library need not be on the machine.
let libPQ = Target.Dependency.target(name: "CLibPQ", condition: .when(traits: ["PostgreSQL"]))

let package = Package(
    name: "swift-event-streaming",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "CQRS", targets: ["CQRS"]),
        .library(name: "EventStreamingCore", targets: ["EventStreamingCore"]),
        .library(name: "EventStreaming", targets: ["EventStreaming"]),
        .library(name: "EventStreamingInMemory", targets: ["EventStreamingInMemory"]),
        .library(name: "EventStreamingSQLite", targets: ["EventStreamingSQLite"]),
        // Empty without the trait PostgreSQL.
        .library(name: "EventStreamingPostgreSQL", targets: ["EventStreamingPostgreSQL"]),
        .library(name: "EventStreamingGRPC", targets: ["EventStreamingGRPC"]),
        .library(name: "EventStreamingJWT", targets: ["EventStreamingJWT"]),
        .library(name: "EventStreamingConfiguration", targets: ["EventStreamingConfiguration"]),
        .library(name: "EventStreamingTesting", targets: ["EventStreamingTesting"]),
        .library(name: "EventStreamingConformance", targets: ["EventStreamingConformance"]),
        .executable(name: "UserService", targets: ["UserService"]),
        .executable(name: "Analytics", targets: ["Analytics"]),
    ],
    traits: [
        .trait(name: "PostgreSQL", description: "The store in PostgreSQL; needs libpq (Debian: libpq-dev).")
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2.git", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf.git", from: "2.4.1"),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.7.1"),
        // Only for tests.
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.5.0"),
    ],
    targets: [
        // Layer 0: the vocabulary and the contracts.
        .target(name: "CQRS", dependencies: [log], swiftSettings: settings),
        .target(name: "EventStreamingCore", swiftSettings: settings),
        // Layer 0, for stores only: what they share. No product: everything in it is `package`.
        .target(
            name: "EventStreamingStoreKit",
            dependencies: ["EventStreamingCore", deque, heap],
            swiftSettings: settings
        ),
        // Layer 1: the engine.
        .target(
            name: "EventStreaming",
            dependencies: [
                "CQRS", "EventStreamingCore", "EventStreamingInMemory", log, metrics, tracing, serviceLifecycle, deque,
            ],
            swiftSettings: settings
        ),
        // Layer 2: stores and transports.
        .target(
            name: "EventStreamingInMemory",
            dependencies: ["EventStreamingCore", "EventStreamingStoreKit", deque, heap],
            swiftSettings: settings
        ),
        .target(
            name: "EventStreamingSQLite",
            dependencies: ["EventStreamingCore", "EventStreamingStoreKit", grdb, sqlite3, deque],
            swiftSettings: settings
        ),
        .systemLibrary(
            name: "CLibPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        .target(
            name: "EventStreamingPostgreSQL",
            dependencies: ["EventStreamingCore", "EventStreamingStoreKit", deque, libPQ],
            swiftSettings: settings
        ),
        .target(
            name: "EventStreamingGRPC",
            dependencies: [
                "EventStreaming", "EventStreamingCore", "CQRS", log, serviceLifecycle, deque, grpc, grpcTransport,
                grpcProtobuf, protobuf, x509, asn1, nioCore,
            ],
            swiftSettings: settings
        ),
        // By itself, so that who knows callers in another way need not build it.
        .target(
            name: "EventStreamingJWT",
            dependencies: ["EventStreamingGRPC", "EventStreamingCore", jwtKit],
            swiftSettings: settings
        ),
        // Layer 3: composition.
        .target(
            name: "EventStreamingConfiguration",
            dependencies: [
                "EventStreaming", "EventStreamingCore", "EventStreamingSQLite", "EventStreamingPostgreSQL",
                configuration,
            ],
            swiftSettings: settings
        ),
        // For users' tests, and for authors of stores.
        .target(name: "EventStreamingTesting", dependencies: ["EventStreaming"], swiftSettings: settings),
        .target(
            name: "EventStreamingConformance",
            dependencies: ["EventStreamingCore", "EventStreaming", "EventStreamingTesting"],
            swiftSettings: settings
        ),
        // Layer 4: applications.
        .executableTarget(
            name: "UserService",
            dependencies: [
                "EventStreaming", "EventStreamingGRPC", "EventStreamingSQLite", "EventStreamingPostgreSQL", log,
                serviceLifecycle,
                // For statements of our own in the transactions of the store in SQLite.
                grdb,
            ],
            path: "Examples/UserService",
            exclude: ["Input"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Analytics",
            dependencies: ["EventStreaming", "EventStreamingGRPC", log, serviceLifecycle],
            path: "Examples/Analytics",
            swiftSettings: settings
        ),
        // Tests.
        .target(
            name: "ProcessTesting",
            dependencies: [
                .product(name: "Subprocess", package: "swift-subprocess"),
                // For the paths that Subprocess takes; macOS has a System of its own.
                .product(name: "SystemPackage", package: "swift-system", condition: .when(platforms: [.linux])),
            ],
            path: "Tests/Support/ProcessTesting",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "CrashProbe",
            dependencies: [
                "CrashTesting", "EventStreaming", "EventStreamingSQLite", "EventStreamingPostgreSQL", grdb, log,
            ],
            path: "Tests/Support/CrashProbe",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "GRPCProbe",
            dependencies: ["EventStreaming", "EventStreamingGRPC", "EventStreamingSQLite"],
            path: "Tests/Support/GRPCProbe",
            swiftSettings: settings
        ),
        .target(
            name: "CrashTesting",
            dependencies: ["EventStreaming", "ProcessTesting"],
            path: "Tests/Support/CrashTesting",
            swiftSettings: settings
        ),
        .testTarget(
            name: "ProcessTestingTests",
            dependencies: ["ProcessTesting"],
            path: "Tests/Support/ProcessTestingTests",
            swiftSettings: settings
        ),
        .testTarget(name: "CQRSTests", dependencies: ["CQRS", log, inMemoryLogging], swiftSettings: settings),
        .testTarget(name: "EventStreamingCoreTests", dependencies: ["EventStreamingCore"], swiftSettings: settings),
        .testTarget(
            name: "EventStreamingStoreKitTests",
            dependencies: ["EventStreamingStoreKit", "EventStreamingTesting"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EventStreamingSQLiteTests",
            dependencies: [
                "EventStreamingSQLite", "EventStreaming", "EventStreamingInMemory", "EventStreamingConformance",
                "EventStreamingTesting", "ProcessTesting", "CrashTesting", "CrashProbe", grdb,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EventStreamingInMemoryTests",
            dependencies: [
                "EventStreamingInMemory", "EventStreamingStoreKit", "EventStreamingConformance",
                "EventStreamingTesting",
            ],
            swiftSettings: settings
        ),
        .target(
            name: "PostgreSQLTesting",
            dependencies: ["EventStreamingPostgreSQL", "ProcessTesting"],
            path: "Tests/Support/PostgreSQLTesting",
            exclude: ["server.sh"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EventStreamingPostgreSQLTests",
            dependencies: [
                "EventStreamingPostgreSQL", "EventStreamingInMemory", "EventStreamingSQLite", "EventStreaming",
                "EventStreamingConformance", "EventStreamingTesting", "PostgreSQLTesting", "ProcessTesting",
                "CrashTesting", "CrashProbe", "EventStreamingStoreKit",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EventStreamingConfigurationTests",
            dependencies: ["EventStreamingConfiguration", "EventStreaming", configuration],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EventStreamingTests",
            dependencies: [
                "EventStreaming", "EventStreamingInMemory", "EventStreamingTesting", "ProcessTesting", inMemoryLogging,
                metricsTestKit, inMemoryTracing, tracing, serviceLifecycle,
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EventStreamingTestingTests",
            dependencies: ["EventStreamingTesting", "EventStreaming"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EventStreamingGRPCTests",
            dependencies: [
                "EventStreamingGRPC", "EventStreaming", "EventStreamingConformance", "EventStreamingTesting", grpc,
                grpcTransport, grpcProtobuf, protobuf, inMemoryLogging, serviceLifecycle, "ProcessTesting", "CQRS", log,
                nioCore, .product(name: "NIOPosix", package: "swift-nio"), "GRPCProbe", "EventStreamingSQLite",
                "EventStreamingPostgreSQL", "PostgreSQLTesting",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EventStreamingJWTTests",
            dependencies: [
                "EventStreamingJWT", "EventStreamingGRPC", "EventStreamingCore", "EventStreamingTesting", jwtKit,
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "DocumentationTests", dependencies: ["ProcessTesting"], swiftSettings: settings),
        .testTarget(
            name: "UserServiceTests",
            dependencies: ["UserService", "EventStreaming", "EventStreamingSQLite", "ProcessTesting", grdb],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AnalyticsTests",
            dependencies: ["Analytics", "EventStreaming", "ProcessTesting"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
