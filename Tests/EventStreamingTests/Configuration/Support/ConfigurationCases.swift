import EventStreaming

extension ConfigurationCase {
    static let badOptions: [ConfigurationCase] = [
        ConfigurationCase("no payload", "options.limits.maximumPayloadBytes is 0", "1 to 2147483647") {
            $0.options.limits.maximumPayloadBytes = 0
        },
        ConfigurationCase("negative payload", "maximumPayloadBytes is -9223372036854775808") {
            $0.options.limits.maximumPayloadBytes = .min
        },
        ConfigurationCase("huge payload", "maximumPayloadBytes is 9223372036854775807") {
            $0.options.limits.maximumPayloadBytes = .max
        },
        ConfigurationCase("negative header count", "options.limits.maximumHeaders is -1", "0 to 10000") {
            $0.options.limits.maximumHeaders = -1
        },
        ConfigurationCase("huge header count", "maximumHeaders is 9223372036854775807") {
            $0.options.limits.maximumHeaders = .max
        },
        ConfigurationCase("negative header bytes", "options.limits.maximumHeaderBytes is -1", "0 to 10000000") {
            $0.options.limits.maximumHeaderBytes = -1
        },
        ConfigurationCase("huge header bytes", "maximumHeaderBytes is") { $0.options.limits.maximumHeaderBytes = .max },
        ConfigurationCase("no retention interval", "options.retentionInterval is 0.0 seconds") {
            $0.options.retentionInterval = .zero
        },
        ConfigurationCase("no unread interval", "options.unreadInterval is 0.0 seconds", "more than zero to 365 days") {
            $0.options.unreadInterval = .zero
        },
        ConfigurationCase("no shutdown timeout", "options.shutdownTimeout is 0.0 seconds", "more than zero to 365 days")
        {
            $0.options.shutdownTimeout = .zero
        },
        ConfigurationCase("negative shutdown timeout", "options.shutdownTimeout is") {
            $0.options.shutdownTimeout = .seconds(-1)
        },
        ConfigurationCase("endless shutdown timeout", "options.shutdownTimeout is") {
            $0.options.shutdownTimeout = .seconds(Int64.max)
        },
    ]

    static let badStreams: [ConfigurationCase] = [
        .stream("empty stream name", "The stream of OrderWorkflow", "stream name") { $0.name = "" },
        .stream("stream name with a space", "The stream of OrderWorkflow", "\"order events\"") {
            $0.name = "order events"
        },
        .stream("stream name with dots", "'..'") { $0.name = "a..b" },
        .stream("long stream name", "1 to 200") { $0.name = String(repeating: "x", count: 201) },
        .stream("across services", "Stream 'order-events'", "crossService", "broker") { $0.scope = .crossService },
        .stream("no capacity", "Stream 'order-events': capacity is 0") { $0.capacity = .events(0) },
        .stream("negative capacity", "capacity is -9223372036854775808") { $0.capacity = .events(.min) },
        .stream("queue with a retention", "Stream 'order-events': retention needs a persistent stream") {
            $0.retention = .maxAge(.days(90))
        },
        .stream("no age", "Stream 'order-events': retention.maximumAge is 0.0 seconds") { stream in
            stream.type = .persistent
            stream.retention = .maxAge(.zero)
        },
        .stream("no event kept", "Stream 'order-events': retention.maximumCount is 0; use at least 1") { stream in
            stream.type = .persistent
            stream.retention = .maxCount(0)
        },
        .stream("negative bytes", "retention.maximumBytes is -9223372036854775808") { stream in
            stream.type = .persistent
            stream.retention = .maxBytes(.min)
        },
        .stream("replay of a queue", "Stream 'order-events'", "ephemeral stream cannot be replayed") {
            $0.isReplayEnabled = true
        },
        ConfigurationCase("two streams", "OrderWorkflow has two streams") { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addStream(OrderWorkflow.self) { $0.name = "orders-2" }
        },
        ConfigurationCase("one name for two", "Two workflows have a stream 'order-events'") { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addStream(NoteWorkflow.self) { $0.name = "order-events" }
        },
        ConfigurationCase("generic workflow", "PaymentWorkflow<Int>", "stream name") {
            $0.addStream(PaymentWorkflow<Int>.self)
        },
        ConfigurationCase("two forms of one event", "FirstForm", "SecondForm", "'OrderChanged' version 1") {
            streaming in
            streaming.addEvent(FirstForm.self)
            streaming.addEvent(SecondForm.self)
        },
    ]

    static let badSubscriptions: [ConfigurationCase] = [
        ConfigurationCase("no stream", "Subscription \"mail\" follows no stream", "subscription.stream") {
            $0.addSubscription("mail") { _ in }
        },
        ConfigurationCase("undeclared workflow", "follows OrderWorkflow", "addStream(OrderWorkflow.self)") {
            $0.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
        },
        ConfigurationCase("undeclared stream", "follows the stream \"nowhere\"", "not declared") {
            $0.addSubscription("mail") { $0.stream("nowhere") }
        },
        ConfigurationCase("own dead letters", "Subscription 'mail'", "come back to it", "another subscription") {
            $0.addSubscription("mail") { $0.stream("mail-dead-letters") }
        },
        ConfigurationCase("a circle of dead letters", "Subscription 'a', 'c', 'b'", "come back to it") { streaming in
            streaming.addSubscription("a") { $0.stream("c-dead-letters") }
            streaming.addSubscription("b") { $0.stream("a-dead-letters") }
            streaming.addSubscription("c") { $0.stream("b-dead-letters") }
            streaming.addSubscription("alarm") { $0.stream("a-dead-letters") }
        },
        ConfigurationCase("two subscriptions", "Subscription \"mail\" is declared twice", "another name") { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
            streaming.addSubscription("mail") { $0.stream("order-events") }
        },
        ConfigurationCase("bad subscription name", "Subscription \"m a i l\"", "subscription name") { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("m a i l") { $0.stream(OrderWorkflow.self) }
        },
        ConfigurationCase("no room for dead letters", "stream name", "1 to 200") { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription(String(repeating: "x", count: 190)) { $0.stream(OrderWorkflow.self) }
        },
        ConfigurationCase("dead letters in a stream", "'mail-dead-letters' is a stream already") { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.name = "mail-dead-letters" }
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
        },
        .subscription("bad consumer name", "Subscription \"mail\"", "consumer name") { subscription in
            subscription.consumer = "a b"
            subscription.handle { _ in }
        },
        .subscription("consumer without handler", "there is no handler") { $0.consumer = "mailer" },
        .subscription("no types", "eventTypes is empty", "nil for all") { $0.eventTypes = [] },
        .subscription("partitions without a group", "only mode consumerGroup has partitions") { $0.partitions = 4 },
        .subscription("no partitions", "partitions is 0; use 1 to 1024") {
            $0.mode = .consumerGroup
            $0.partitions = 0
        },
        .subscription("exactly once without a transaction", "exactlyOnce needs a handler", "handleInTransaction") {
            $0.semantics = .exactlyOnce
            $0.handle { _ in }
        },
        .subscription("a transaction without exactly once", "handleInTransaction is for semantics .exactlyOnce") {
            $0.handleInTransaction { _, _ in }
        },
        .subscription("retry at most once", "retry policy has no effect at most once") { subscription in
            subscription.semantics = .atMostOnce
            subscription.retry.maximumAttempts = 2
        },
    ]

    static let badLimits: [ConfigurationCase] = [
        .subscription("no prefetch", "prefetch is 0", "1 to 100000") { $0.prefetch = 0 },
        .subscription("negative prefetch", "prefetch is -9223372036854775808") { $0.prefetch = .min },
        .subscription("huge prefetch", "prefetch is 9223372036854775807") { $0.prefetch = .max },
        .subscription("no concurrency", "maximumConcurrency is 0", "1 to 10000") { $0.maximumConcurrency = 0 },
        .subscription("negative concurrency", "maximumConcurrency is") { $0.maximumConcurrency = .min },
        .subscription("huge concurrency", "maximumConcurrency is") { $0.maximumConcurrency = .max },
        .subscription("no visibility", "visibilityTimeout is 0.0 seconds") { $0.visibilityTimeout = .zero },
        .subscription("negative visibility", "visibilityTimeout is") { $0.visibilityTimeout = .seconds(Int64.min) },
        .subscription("endless visibility", "visibilityTimeout is") { $0.visibilityTimeout = .seconds(Int64.max) },
        .subscription("no life", "consumerTimeout is 0.0 seconds") { $0.consumerTimeout = .zero },
        .subscription("negative life", "consumerTimeout is") { $0.consumerTimeout = .nanoseconds(-1) },
        .subscription("endless life", "consumerTimeout is") { $0.consumerTimeout = .seconds(366 * 86_400) },
        .subscription("order without keys", "keepsOrder needs mode consumerGroup") { $0.keepsOrder = true },
        .subscription("order of what is never given up", "keepsOrder has no effect") { subscription in
            subscription.mode = .consumerGroup
            subscription.semantics = .atMostOnce
            subscription.keepsOrder = true
        },
        .subscription("no lag", "health.lagEvents is 0") { $0.health.lagEvents = 0 },
        .subscription("no lag in time", "health.lagTime is 0.0 seconds") { $0.health.lagTime = .zero },
        .subscription("endless lag in time", "health.lagTime is") { $0.health.lagTime = .seconds(366 * 86_400) },
        .subscription("no stall", "health.stallTime is 0.0 seconds") { $0.health.stallTime = .zero },
        .subscription("negative stall", "health.stallTime is") { $0.health.stallTime = .seconds(-1) },
        .subscription("no attempt", "retry.maximumAttempts is 0") { $0.retry.maximumAttempts = 0 },
        .subscription("negative attempts", "retry.maximumAttempts is") { $0.retry.maximumAttempts = .min },
        .subscription("huge attempts", "retry.maximumAttempts is") { $0.retry.maximumAttempts = .max },
        .subscription("negative first delay", "retry.initialDelay is", "zero to 365 days") {
            $0.retry.initialDelay = .seconds(-1)
        },
        .subscription("endless first delay", "retry.initialDelay is") { $0.retry.initialDelay = .seconds(Int64.max) },
        .subscription("negative longest delay", "retry.maximumDelay is") { $0.retry.maximumDelay = .seconds(-1) },
        .subscription("endless longest delay", "retry.maximumDelay is") { $0.retry.maximumDelay = .seconds(Int64.max) },
        .subscription("negative jitter", "retry.jitter is -0.1", "0 to 1") { $0.retry.jitter = -0.1 },
        .subscription("huge jitter", "retry.jitter is 1.5") { $0.retry.jitter = 1.5 },
        .subscription("jitter that is no number", "retry.jitter is nan") { $0.retry.jitter = .nan },
        .subscription("infinite jitter", "retry.jitter is inf") { $0.retry.jitter = .infinity },
    ]

    static let badHandlers: [ConfigurationCase] = [
        ConfigurationCase("two handlers", "command PlaceOrder has 2 handlers") { streaming in
            streaming.commands.add(PlaceOrderHandler())
            streaming.commands.on(PlaceOrder.self, in: OrderWorkflow.self) { _, workflow in workflow.id }
        },
        ConfigurationCase("handlers with and without a workflow", "command CountWords has 2 handlers") { streaming in
            streaming.commands.on(CountWords.self) { _ in 1 }
            streaming.commands.on(CountWords.self, in: OrderWorkflow.self) { _, _ in 2 }
        },
        ConfigurationCase("required command", "command PlaceOrder is required but has no handler") {
            $0.commands.require(PlaceOrder.self)
        },
        ConfigurationCase("rules without handler", "command PlaceOrder has validation rules but no handler") {
            $0.commands.validate(PlaceOrder.self) { _, _ in }
        },
        ConfigurationCase("two answers", "query FindWord has 2 handlers") { streaming in
            streaming.queries.on(FindWord.self) { _ in nil }
            streaming.queries.on(FindWord.self) { _ in "" }
        },
        ConfigurationCase("required query", "query FindWord is required but has no handler") {
            $0.queries.require(FindWord.self)
        },
    ]

    static let good: [ConfigurationCase] = [
        ConfigurationCase("nothing at all") { _ in },
        ConfigurationCase("the least of everything") { streaming in
            streaming.options.limits.maximumPayloadBytes = 1
            streaming.options.limits.maximumHeaders = 0
            streaming.options.limits.maximumHeaderBytes = 0
            streaming.options.shutdownTimeout = .nanoseconds(1)
        },
        ConfigurationCase("the most of everything") { streaming in
            streaming.options.limits.maximumPayloadBytes = Int(Int32.max)
            streaming.options.limits.maximumHeaders = 10_000
            streaming.options.limits.maximumHeaderBytes = 10_000_000
            streaming.options.shutdownTimeout = .seconds(365 * 86_400)
        },
        .stream("least capacity") { $0.capacity = .events(1) },
        .stream("most capacity") { $0.capacity = .events(.max) },
        .stream("queue without a limit") { $0.capacity = .unlimited },
        .stream("a name of 200 characters") { $0.name = String(repeating: "x", count: 200) },
        .stream("at most once") { $0.semantics = .atMostOnce },
        ConfigurationCase("generic workflow with a name") {
            $0.addStream(PaymentWorkflow<Int>.self) { $0.name = "payments" }
        },
        ConfigurationCase("an event registered twice, and another version") { streaming in
            streaming.addEvent(FirstForm.self)
            streaming.addEvent(FirstForm.self)
            streaming.addEvent(ThirdForm.self)
        },
        ConfigurationCase("many subscriptions to one stream") { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("one") { $0.stream(OrderWorkflow.self) }
            streaming.addSubscription("two") { $0.stream("order-events") }
        },
        ConfigurationCase("a subscription before its stream") { streaming in
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
            streaming.addStream(OrderWorkflow.self)
        },
        ConfigurationCase("the dead letters of another subscription, declared before it") { streaming in
            streaming.addSubscription("alarm") { $0.stream("mail-dead-letters") }
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
            streaming.addStream(OrderWorkflow.self)
        },
        .subscription("the least of a subscription") { subscription in
            subscription.prefetch = 1
            subscription.maximumConcurrency = 1
            subscription.health.lagEvents = 1
            subscription.health.lagTime = .nanoseconds(1)
            subscription.health.stallTime = .nanoseconds(1)
            subscription.visibilityTimeout = .nanoseconds(1)
            subscription.consumerTimeout = .nanoseconds(1)
            subscription.retry.maximumAttempts = 1
            subscription.retry.initialDelay = .zero
            subscription.retry.maximumDelay = .zero
            subscription.retry.jitter = 0
        },
        .subscription("the most of a subscription") { subscription in
            subscription.prefetch = 100_000
            subscription.health.lagEvents = nil
            subscription.health.lagTime = nil
            subscription.health.stallTime = .seconds(365 * 86_400)
            subscription.maximumConcurrency = 10_000
            subscription.visibilityTimeout = .seconds(365 * 86_400)
            subscription.consumerTimeout = .seconds(365 * 86_400)
            subscription.retry.maximumAttempts = 1_000_000
            subscription.retry.initialDelay = .seconds(365 * 86_400)
            subscription.retry.maximumDelay = .seconds(365 * 86_400)
            subscription.retry.jitter = 1
        },
        .subscription("a first delay above the longest") { subscription in
            subscription.retry.initialDelay = .seconds(60)
            subscription.retry.maximumDelay = .seconds(1)
        },
        .subscription("a type that nobody emits") { $0.eventTypes = ["Unheard Of 🙂"] },
        .subscription("at most once without a policy") { $0.semantics = .atMostOnce },
        .subscription("a consumer for the handler") { subscription in
            subscription.consumer = "ada+mail@example.org:1"
            subscription.handle(OrderPlaced.self) { _, _ in }
        },
        .subscription("a type handled twice") { subscription in
            subscription.handle(OrderPlaced.self) { _, _ in }
            subscription.handle(OrderPlaced.self) { _, _ in }
        },
        ConfigurationCase("a command that is required and has its handler") { streaming in
            streaming.commands.require(PlaceOrder.self)
            streaming.commands.add(PlaceOrderHandler())
        },
    ]
}
