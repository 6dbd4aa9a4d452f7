# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Time as a BMC lives it: monotonic, with things that fall due, and a hand to move it forward."""

from __future__ import annotations

import threading
import time


class Clock:
    """Runs what is due when asked to tick; nothing happens behind the caller's back (no timer threads)."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._due: list = []
        self._count = 0
        self._lock = threading.RLock()

    def now(self) -> float:
        """Seconds on the BMC's own monotonic clock."""
        return time.monotonic() + self._offset

    def at(self, delay: float, action) -> None:
        """Run action() at the first tick that is `delay` seconds or more from now; at once where delay is 0."""
        if delay <= 0:
            action()
            return
        with self._lock:
            self._count += 1
            self._due.append((self.now() + delay, self._count, action))

    def tick(self) -> None:
        """Run what has fallen due, oldest first."""
        while True:
            with self._lock:
                ready = min((item for item in self._due if item[0] <= self.now()), default=None)
                if ready is None:
                    return
                self._due.remove(ready)
            ready[2]()

    def advance(self, seconds: float) -> None:
        """Move the clock forward and run what fell due on the way."""
        with self._lock:
            self._offset += seconds
        self.tick()
