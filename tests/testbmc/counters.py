# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""What a test may hold a client to: connections, logins, reads by path, writes."""

from __future__ import annotations

import collections
import threading


class Counters:
    """Everything that was seen on the wire. Plain attributes to read, methods for the server to call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live = 0
        self._busy = 0
        self.reset()

    def reset(self) -> None:
        """Forget what was counted; what is open now stays open."""
        with self._lock:
            self.connections = 0
            self.handshakes = 0
            self.handshake_failures = 0
            self.logins = 0
            self.failed_logins = 0
            self.logouts = 0
            self.basic_requests = 0
            self.anonymous_requests = 0
            self.unauthorized = 0
            self.requests: list = []
            self.gets: collections.Counter = collections.Counter()
            self.statuses: collections.Counter = collections.Counter()
            self.writes: list = []
            self.faults: list = []
            self.max_connections = self._live
            self.max_requests = self._busy

    def add(self, name: str, number: int = 1) -> None:
        """Add to one of the plain numbers."""
        with self._lock:
            setattr(self, name, getattr(self, name) + number)

    def opened(self) -> None:
        """A TCP connection was accepted."""
        with self._lock:
            self.connections += 1
            self._live += 1
            self.max_connections = max(self.max_connections, self._live)

    def closed(self) -> None:
        """A TCP connection has ended."""
        with self._lock:
            self._live -= 1

    def began(self, method: str, path: str) -> None:
        """A request's head was read."""
        with self._lock:
            self._busy += 1
            self.max_requests = max(self.max_requests, self._busy)
            self.requests.append((method, path))
            if method in ("GET", "HEAD"):
                self.gets[path] += 1

    def wrote(self, method: str, path: str, body) -> None:
        """A request that is not a read arrived, body as parsed (a summary for uploads)."""
        with self._lock:
            self.writes.append((method, path, body))

    def answered(self, status: int) -> None:
        """A request is about to be answered (0: it is not)."""
        with self._lock:
            self.statuses[status] += 1

    def ended(self) -> None:
        """A request's answer is out."""
        with self._lock:
            self._busy -= 1

    @property
    def duplicates(self) -> dict:
        """Paths that were read more than once: {path: times}."""
        with self._lock:
            return {path: times for path, times in self.gets.items() if times > 1}

    @property
    def open_connections(self) -> int:
        """TCP connections open now."""
        with self._lock:
            return self._live

    def effective_writes(self, *, without=("Sessions",)) -> list:
        """Writes other than logging in and out: [(method, path, body)]."""
        with self._lock:
            return [item for item in self.writes if not any(part in item[1].split("/") for part in without)]

    def summary(self) -> dict:
        """Numbers only, for programs that print them."""
        names = ("connections", "handshakes", "handshake_failures", "logins", "failed_logins", "logouts",
                 "basic_requests", "unauthorized", "max_connections", "max_requests")
        result = {name: getattr(self, name) for name in names}
        with self._lock:
            result.update(requests=len(self.requests), writes=len(self.writes), open_connections=self._live,
                          distinct_gets=len(self.gets), duplicate_gets=sum(n - 1 for n in self.gets.values()))
        return result
