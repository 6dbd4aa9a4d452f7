# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting by the wall clock: monotonic deadlines, never counts of tries."""

from __future__ import annotations

import time
from typing import Callable, Optional, TypeVar

T = TypeVar("T")


class Deadline:
    """A moment on the monotonic clock, ``seconds`` from its making; ``None`` seconds is never."""

    def __init__(self, seconds: Optional[float]) -> None:
        self.seconds = seconds
        self._start = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Return the seconds since the deadline was made."""
        return time.monotonic() - self._start

    @property
    def remaining(self) -> float:
        """Return the seconds left, not below zero."""
        return float("inf") if self.seconds is None else max(0.0, self.seconds - self.elapsed)

    @property
    def passed(self) -> bool:
        """Tell whether the moment has come."""
        return self.remaining <= 0

    def sleep(self, seconds: float) -> None:
        """Sleep for ``seconds``, or until the deadline where that is sooner."""
        time.sleep(max(0.0, min(seconds, self.remaining)))


def wait_until(read: Callable[[], T], accept: Callable[[T], bool], *, deadline: Deadline, interval: float = 0.3,
               tell: Optional[Callable[[T], None]] = None) -> tuple[bool, T]:
    """Read until ``accept`` takes the value or the deadline passes; return whether it did, and what was last seen.

    The value is read at least once, at pauses that grow from ``interval`` to three seconds: quick where the effect
    is quick, gentle to a slow BMC. ``tell`` is given every value that was not accepted.
    """
    while True:
        value = read()
        if accept(value):
            return True, value
        if tell is not None:
            tell(value)
        if deadline.passed:
            return False, value
        deadline.sleep(interval)
        interval = max(interval, min(interval * 1.5, 3.0))
