// Users import one module.
@_exported public import CQRS
@_exported public import EventStreamingCore
