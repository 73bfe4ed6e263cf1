"""Consumes a subscription of a service over gRPC, with nothing but grpcio and the code made of Protos/.

    Examples/python/setup
    .build/python/environment/bin/python Examples/python/consume.py --subscription user-analytics --consumer python

Writes each event as a line of JSON, acknowledges it when the line is written, and goes on where it was when the
connection or the service is lost, for as long as that makes sense. Ends with SIGINT or SIGTERM, or after --count events.
"""

import argparse
import json
import os
import queue
import random
import signal
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", ".build", "python", "generated"))

import grpc  # noqa: E402
from eventstreaming.v1 import delivery_pb2, delivery_pb2_grpc  # noqa: E402

# What makes no sense to try again.
FATAL = {
    grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED,
}
CREDIT_EVENTS, CREDIT_BYTES = 256, 1 << 20


class Consumer:
    """One registration: a call of Subscribe, from Open to the end."""

    def __init__(self, stub, options, seen):
        self.stub, self.options, self.seen = stub, options, seen
        self.requests = queue.Queue()
        self.sequence = 0
        self.closed = threading.Event()

    def send(self, **frame):
        self.requests.put(delivery_pb2.SubscribeRequest(**frame))

    def close(self):
        """Gives back what was not acknowledged, without counting an attempt."""
        self.closed.set()
        self.send(close=delivery_pb2.Close())
        self.requests.put(None)

    def run(self):
        """Returns when the server has ended the call; raises grpc.RpcError when it was lost or refused."""
        self.send(open=delivery_pb2.Open(
            protocol_version=1,
            subscription=self.options.subscription,
            consumer=self.options.consumer,
            credit=delivery_pb2.Credit(events=CREDIT_EVENTS, bytes=CREDIT_BYTES),
        ))
        heartbeats = None
        metadata = [("authorization", f"Bearer {self.options.token}")] if self.options.token else []
        try:
            for response in self.stub.Subscribe(iter(self.requests.get, None), metadata=metadata):
                frame = response.WhichOneof("frame")
                if frame == "opened":
                    interval = response.opened.heartbeat_interval_ms / 1000
                    heartbeats = threading.Thread(target=self.give_signs_of_life, args=(interval,), daemon=True)
                    heartbeats.start()
                    tell(opened=response.opened.consumer)
                elif frame == "batch":
                    self.handle(response.batch)
                elif frame == "settled" and response.settled.HasField("error"):
                    tell(refused=response.settled.error.code)
        finally:
            self.closed.set()
            self.requests.put(None)

    def give_signs_of_life(self, interval):
        while not self.closed.wait(interval / 2):
            self.send(heartbeat=delivery_pb2.ClientHeartbeat())

    def handle(self, batch):
        for event in batch.events:
            if self.closed.is_set():
                return
            tell(offset=event.offset, type=event.type, attempt=batch.attempt, payload=event.payload.decode())
            self.sequence += 1
            settle = delivery_pb2.Settle(sequence=self.sequence, lease_epoch=batch.lease_epoch)
            settle.completed.add(begin=event.offset, end=event.offset + 1)
            self.send(settle=settle)
            self.seen.add(event.offset)
            if self.options.count and len(self.seen) >= self.options.count:
                self.close()
                return
        size = sum(
            len(event.payload) + sum(len(name.encode()) + len(value.encode()) for name, value in event.headers.items())
            for event in batch.events
        )
        if batch.events:
            self.send(credit=delivery_pb2.Credit(events=len(batch.events), bytes=max(1, size)))


def tell(**line):
    print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1:50051")
    parser.add_argument("--subscription", required=True)
    parser.add_argument("--consumer", default="", help="the name under which the position is kept; none without it")
    parser.add_argument("--token", default=os.environ.get("EVENTSTREAMING_TOKEN", ""))
    parser.add_argument("--count", type=int, default=0, help="end after so many different events")
    options = parser.parse_args()
    channel = grpc.insecure_channel(options.address, options=[
        ("grpc.keepalive_time_ms", 10_000), ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 5_000),
    ])
    stub = delivery_pb2_grpc.EventDeliveryStub(channel)
    ending = threading.Event()
    current = []

    def end(*_):
        ending.set()
        for consumer in current:
            consumer.close()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    seen, failures = set(), 0
    while not ending.is_set():
        consumer = Consumer(stub, options, seen)
        current[:] = [consumer]
        try:
            consumer.run()
        except grpc.RpcError as error:
            code = dict(error.trailing_metadata() or ()).get("eventstreaming-error-code", "")
            tell(lost=error.code().name, code=code)
            if error.code() in FATAL or code == "eventStreaming.consumerReplaced":
                return 1
        if options.count and len(seen) >= options.count:
            return 0
        failures = 0 if consumer.sequence else failures + 1
        ending.wait(min(5, 0.1 * 2 ** min(failures, 6)) * random.uniform(0.5, 1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
