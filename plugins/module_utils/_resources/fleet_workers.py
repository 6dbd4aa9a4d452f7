# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reads the hosts of a fleet: threads of this process, or of a process forked from it.

Hosts are told by their numbers, and a forked process has them from its parent's memory: only numbers go to it, and
only records come back.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import queue
import signal
import threading
from abc import ABC, abstractmethod
from typing import Any, Callable, Iterator, Optional, Sequence

Json = dict[str, Any]
Read = Callable[[Json], Json]
Records = list[tuple[int, Json]]
# A worker and what it has read, ``None`` where it is no more.
Event = tuple["Worker", Optional[Records]]
STOPPING = (signal.SIGINT, signal.SIGTERM)


def failed(host: Json, cause: str, *, seconds: float = 0.0) -> Json:
    """Return the record of a host that could not be read for a reason of ours."""
    return {"name": host["name"], "address": host["address"], "ok": False, "seconds": round(seconds, 3),
            "results": {cls.NAME: {"changed": False, "failed": True, "error": {"kind": "defect"},
                                   "msg": f"Cannot read {host['name']}: {cause}."} for cls, _unused in host["runs"]}}


class Worker(ABC):
    """Reads hosts side by side; ``active`` are those under way. All but the reading is done by the caller's thread."""

    def __init__(self, hosts: Sequence[Json], *, events: queue.SimpleQueue[Event]) -> None:
        self._hosts = hosts
        self._events = events
        self.active: set[int] = set()
        self.alive = True

    def start(self, number: int) -> None:
        """Begin a host; its record comes as an event."""
        self.active.add(number)
        if self.alive:
            self._start(number)
        else:
            self._events.put((self, None))

    def settle(self, records: Optional[Records]) -> Records:
        """Take an event: return the records of hosts that are done by it, failed ones where the worker is no more."""
        if records is None:
            self.alive = False
            records = [(number, failed(self._hosts[number], f"the process that was to read it has ended ({self.end})"))
                       for number in sorted(self.active)]
        self.active.difference_update(number for number, _unused in records)
        return records

    @property
    def end(self) -> str:
        """Return how the worker has ended, in a few words."""
        return "as this task does"

    @abstractmethod
    def _start(self, number: int) -> None:
        """Have a host read."""

    def listen(self) -> None:
        """Begin to pass records on."""

    @abstractmethod
    def finish(self) -> None:
        """Ask for no more; what is under way comes to its end."""

    @abstractmethod
    def join(self) -> None:
        """Wait until what is under way has come to its end."""


class _Threads:
    """A thread for each host under way; ``done`` is called in it."""

    def __init__(self, hosts: Sequence[Json], read: Read, *, done: Callable[[int, Json], None]) -> None:
        self._hosts = hosts
        self._read = read
        self._done = done
        self._threads: dict[int, threading.Thread] = {}

    def start(self, number: int) -> None:
        """Read a host in a thread of its own."""
        self._threads[number] = threading.Thread(target=self._work, args=(number,), name=f"fleet-{number}", daemon=True)
        self._threads[number].start()

    def _work(self, number: int) -> None:
        self._done(number, self._read(self._hosts[number]))
        self._threads.pop(number)

    def join(self) -> None:
        """Wait for all threads."""
        for thread in list(self._threads.values()):
            thread.join()


class ThreadWorker(Worker):
    """Threads of this process."""

    def __init__(self, hosts: Sequence[Json], read: Read, *, events: queue.SimpleQueue[Event]) -> None:
        super().__init__(hosts, events=events)
        self._threads = _Threads(hosts, read, done=lambda number, record: events.put((self, [(number, record)])))

    def _start(self, number: int) -> None:
        self._threads.start(number)

    def finish(self) -> None:
        """Nothing is begun unasked."""

    def join(self) -> None:
        """Wait for the threads."""
        self._threads.join()


class ForkedWorker(Worker):
    """A process with threads. It ends by its parent's word, or when its parent is no more; never by a signal sent to
    all processes of a task: those under way log out first."""

    def __init__(self, hosts: Sequence[Json], read: Read, *, events: queue.SimpleQueue[Event],
                 earlier: tuple["ForkedWorker", ...]) -> None:
        super().__init__(hosts, events=events)
        forking = multiprocessing.get_context("fork")
        self._parent_end, self._child_end = forking.Pipe()
        self._process = forking.Process(target=self._serve, args=(read, earlier), name="fleet")
        with _signals_held():
            self._process.start()
        self._child_end.close()
        self._listener = threading.Thread(target=self._pass_on, name="fleet-listener", daemon=True)

    @property
    def end(self) -> str:
        """Return how the process has ended."""
        self._process.join()
        code = self._process.exitcode or 0
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def listen(self) -> None:
        """Begin to pass records on."""
        self._listener.start()

    def _start(self, number: int) -> None:
        with contextlib.suppress(OSError):  # the listener tells that the process has ended
            self._parent_end.send(number)

    def finish(self) -> None:
        """Send the word to end."""
        with contextlib.suppress(OSError):
            self._parent_end.send(None)

    def join(self) -> None:
        """Wait for the process."""
        self._process.join()
        self._listener.join()
        self._parent_end.close()

    def _pass_on(self) -> None:
        """Pass on what the process sends, and that it has ended."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._events.put((self, [self._parent_end.recv()]))
        self._events.put((self, None))

    def _serve(self, read: Read, earlier: tuple["ForkedWorker", ...]) -> None:
        """Be the process: read what is asked for until there is no more."""
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        gc.freeze()
        for worker in (*earlier, self):
            worker._parent_end.close()  # else a parent that is no more would not be noticed
        lock = threading.Lock()

        def done(number: int, record: Json) -> None:
            with lock, contextlib.suppress(OSError):
                self._child_end.send((number, record))

        threads = _Threads(self._hosts, read, done=done)
        with contextlib.suppress(EOFError, OSError):
            while (number := self._child_end.recv()) is not None:
                threads.start(number)
        threads.join()


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back the signals that end a task, so that no handler of the parent runs in a child that was just forked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
