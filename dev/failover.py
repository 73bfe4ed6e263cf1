#!/usr/bin/env python3
"""Kills one of three processes that share the work of a database, and watches the others take over.

    python3 dev/failover.py <the built UserService>

A PostgreSQL server is started for the scene, in a temporary directory and on loopback. One process of the example gets
commands; three others are members of its analytics group, and write charges beside. In the middle one of the three is
killed by SIGKILL. At the end every event must have been handled, and charged exactly once; otherwise the exit code is 1.
Whatever happens, nothing that was started here is left.
"""

import collections
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

MEMBERS = ["analytics-1", "analytics-2", "analytics-3"]
VICTIM = MEMBERS[1]
USERS = 300
LEASE = 2  # seconds without a sign of life after which others take over
PACE = 0.004  # seconds between two commands
BURST = 60  # commands that are sent all at once
PATIENCE = 60  # seconds for any step
SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../Tests/Support/PostgreSQLTesting/server.sh")


class Failure(Exception):
    pass


def say(line):
    print(line, flush=True)


def commands():
    """Adds users, and removes every third some time after it came."""
    for number in range(1, USERS + 1):
        user = f"user-{number}"
        yield {"command": "AddUser", "id": user, "name": f"User {number}", "email": f"{user}@example.org"}
        if number % 3 == 0 and number > 60:
            yield {"command": "RemoveUser", "user": f"user-{number - 60}"}


def ranges(numbers):
    """Numbers in short: 0–3, 7."""
    found = []
    for number in sorted(numbers):
        if found and found[-1][1] + 1 == number:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in found)


class Server:
    """A PostgreSQL server that ends with the script that keeps it, which ends with its input."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="event-streaming-failover-")
        self.keeper = subprocess.Popen(
            ["/bin/sh", SERVER, self.directory, "off", "off"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def start(self):
        answer = self.keeper.stdout.readline().strip()
        if not answer.isdigit():
            raise Failure(f"PostgreSQL does not start: {answer or 'are its programs installed?'}")
        self.url = f"postgresql://postgres@127.0.0.1:{answer}/postgres"
        return answer

    def stop(self):
        self.keeper.stdin.close()
        self.keeper.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Process:
    """A process of the example, whose lines go to a queue with the time at which they were read."""

    def __init__(self, program, arguments, url, lines):
        self.name = arguments[1]
        self.process = subprocess.Popen(
            [program, "--storage", "postgresql", "--json", "--lease", str(LEASE), *arguments, "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "DATABASE_URL": url},
        )
        self.reader = threading.Thread(target=self.read, args=[lines], daemon=True)
        self.reader.start()

    def read(self, lines):
        for line in self.process.stdout:
            # A killed process may leave half a line.
            if line.endswith("\n"):
                lines.put((time.monotonic(), self, json.loads(line)))

    def end(self):
        """Waits until it has ended and everything it said is in the queue."""
        code = self.process.wait(timeout=PATIENCE)
        self.reader.join(timeout=PATIENCE)
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Scene:
    def __init__(self, program):
        self.program = program
        self.lines = queue.Queue()
        self.server = None
        self.processes = []
        self.owners = {}  # who has which partitions, as a member said last
        self.handled = collections.defaultdict(list)  # by offset: which members handled the event
        self.lost_partitions = set()
        self.killed_at = self.owned_at = self.moved_at = None
        self.is_at_work = False  # whether the victim has handled an event since this was reset
        self.charges = self.summary = None

    def start(self, *arguments):
        process = Process(self.program, list(arguments), self.server.url, self.lines)
        self.processes.append(process)
        return process

    def note(self, moment, process, entry):
        kind = entry["kind"]
        if kind == "owners":
            if process.name != VICTIM:
                self.owners = entry["owners"]
            if self.killed_at and not self.owned_at and VICTIM not in self.owners:
                self.owned_at = moment
        elif kind == "delivered" and entry["subscription"] == "analytics":
            self.handled[entry["offset"]].append(process.name)
            self.is_at_work = self.is_at_work or process.name == VICTIM
            is_taken_over = process.name != VICTIM and entry["partition"] in self.lost_partitions
            if is_taken_over and self.killed_at and not self.moved_at:
                self.moved_at = moment
        elif kind == "charges":
            self.charges = entry
        elif kind == "summary":
            self.summary = entry
        elif kind == "rejected":
            raise Failure(f"a command was rejected: {entry}")

    def look(self):
        """Takes notice of what was said so far."""
        while True:
            try:
                self.note(*self.lines.get_nowait())
            except queue.Empty:
                return

    def wait(self, expectation, condition):
        deadline = time.monotonic() + PATIENCE
        self.look()
        while not condition():
            for process in self.processes:
                code = process.process.poll()
                if code is not None and code not in (0, -signal.SIGKILL):
                    raise Failure(f"{process.name} ended with {code} while waiting {expectation}")
            if time.monotonic() > deadline:
                raise Failure(f"waited in vain {expectation}")
            try:
                self.note(*self.lines.get(timeout=0.1))
            except queue.Empty:
                pass

    def send(self, source, commands, pace):
        for command in commands:
            source.process.stdin.write(json.dumps(command) + "\n")
            source.process.stdin.flush()
            self.look()
            time.sleep(pace)

    def show_owners(self, members):
        for member in members:
            partitions = self.owners[member.name]
            say(f"  {member.name}  process {member.process.pid}  {len(partitions)} partitions: {ranges(partitions)}")

    def play(self):
        self.server = Server()
        say(f"PostgreSQL runs on port {self.server.start()}. Three processes share the work on 32 partitions:")
        source = self.start("--members", "0", "--timeout", str(PATIENCE))
        source.name = "the source"
        members = [self.start("--member", name) for name in MEMBERS]
        victim = members[MEMBERS.index(VICTIM)]
        self.wait("for the members to share the work", lambda: sorted(self.owners) == MEMBERS)
        self.show_owners(members)
        self.lost_partitions = set(self.owners[VICTIM])

        todo = list(commands())
        middle = len(todo) // 2
        self.send(source, todo[:middle], PACE)
        # All at once, so that there is work in hand when it is killed.
        self.look()
        self.is_at_work = False
        self.send(source, todo[middle : middle + BURST], 0)
        self.wait(f"for {VICTIM} to work", lambda: self.is_at_work)
        self.killed_at = time.monotonic()
        victim.kill()
        say(f"In the middle of {len(todo)} commands {VICTIM} is killed by SIGKILL, at work. The commands go on.")
        self.send(source, todo[middle + BURST :], PACE)
        self.wait("for others to take over", lambda: self.owned_at is not None)
        say(
            f"Take-over: {self.owned_at - self.killed_at:.2f} s after the kill its partitions have new owners "
            f"(a member may be silent for {LEASE} s):"
        )
        survivors = [member for member in members if member is not victim]
        self.show_owners(survivors)
        self.wait("for its events to be handled", lambda: self.moved_at is not None)
        say(f"  {self.moved_at - self.killed_at:.2f} s after the kill they handle the events that waited")

        source.process.stdin.close()
        self.wait("for the sums", lambda: self.summary is not None)
        codes = [source.end()]
        for member in survivors:
            member.process.send_signal(signal.SIGTERM)
        codes += [member.end() for member in survivors]
        self.look()
        return self.judge(len(todo), codes)

    def judge(self, count, codes):
        shares = collections.Counter(who[0] for who in self.handled.values())
        lost = len(set(range(count)) - set(self.handled))
        twice = sum(len(who) - 1 for who in self.handled.values())
        say("Events by member: " + ", ".join(f"{name} {shares[name]}" for name in MEMBERS))
        say(f"Of these, {twice} were handled again, as the killed one had not acknowledged them: at least once.")
        say(
            f"events={self.summary['emitted']} handled={len(self.handled)} lost={lost + self.summary['lost']} "
            f"handled-twice={twice} charged={self.charges['rows']} uncharged={self.charges['uncharged']} "
            f"charged-twice={self.charges['chargedTwice']}"
        )
        return (
            codes == [0, 0, 0]
            and self.summary["emitted"] == len(self.handled) == self.charges["rows"] == count
            and lost == self.summary["lost"] == self.charges["uncharged"] == self.charges["chargedTwice"] == 0
        )

    def clean_up(self):
        for process in self.processes:
            process.kill()
        if self.server:
            self.server.stop()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    # Ends like any failure does, by way of `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("failover: stopped"))
    scene = Scene(sys.argv[1])
    try:
        is_right = scene.play()
    except KeyboardInterrupt:
        sys.exit("failover: stopped")
    except (Failure, OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
        sys.exit(f"failover: {error}")
    finally:
        # A second signal must not keep this from being done.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        scene.clean_up()
    if not is_right:
        sys.exit("failover: something was lost, or charged twice")


main()
