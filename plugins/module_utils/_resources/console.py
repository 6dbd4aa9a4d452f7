# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial console of a system, read until a pattern or a deadline, into a file."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import Any, BinaryIO, Iterator, Optional

from .._bmc.errors import InvalidInput, Timeout
from .._bmc.interface import Console
from .._domain.change import Change, Effect
from .._domain.console import Transcript, found
from .._domain.deadline import Deadline
from .base import Resource

Json = dict[str, Any]
LINES = 20


class ConsoleResource(Resource):
    """``bmc_console``."""

    NAME = "console"
    DOING = "read the console"
    CAPABILITY = Console
    SPEC = {
        "path": dict(type="path"),
        "append": dict(type="bool", default=False),
        "until": dict(type="str"),
        "send": dict(type="str"),
        "read_timeout": dict(type="int", default=60),
        "on_timeout": dict(type="str", choices=["fail", "continue"], default="fail"),
    }
    CONSTRAINTS = {"required_one_of": [["path", "until", "send"]]}

    def validate(self) -> None:
        """Refuse a pattern that is none, and no time to read."""
        if self.params["read_timeout"] < 1:
            raise InvalidInput(f"read_timeout is {self.params['read_timeout']}", remedy="Give 1 or more.")
        try:
            re.compile(self.params.get("until") or "")
        except re.error as error:
            raise InvalidInput(f"until is no regular expression ({error})", remedy="Mend the pattern.") from error

    def _shown(self, *, size: int = 0, matched: Optional[str] = None, last_lines: Any = (),
               seconds: float = 0.0) -> Json:
        return {"path": self.params.get("path"), "bytes": size, "matched": matched, "last_lines": list(last_lines),
                "seconds": round(seconds, 1)}

    def read(self) -> Json:
        """Find out whether there is a console to read; nothing is taken yet."""
        self._console: Console = self.bmc
        return self._shown()

    def plan(self, current: Json) -> Change:
        """Return the reading, which is done anew at every run."""
        asked = {name: self.params[name] for name in ("path", "until", "send") if self.params.get(name) is not None}
        return Change(before=current, after=current, steps=("read",), requested=asked)

    def apply(self, change: Change) -> Effect:
        """Take the console, type, read, and give it back."""
        watch = Deadline(self.params["read_timeout"])
        until, hits = self.params.get("until"), []

        def accept(text: str) -> bool:
            hit = found(until, text) if until else None
            hits.extend([hit] if hit is not None else [])
            return bool(hits)

        with self._file() as file:
            transcript = Transcript(file)

            def write(piece: bytes) -> None:
                transcript.write(piece)
                self.tell(f"{transcript.size} bytes of the console were read")

            self._console.read_until(accept=accept, deadline=watch, write=write, send=self.params.get("send"))
        seen = self._shown(size=transcript.size, matched=hits[0] if hits else None,
                           last_lines=transcript.last_lines(LINES), seconds=watch.elapsed)
        if until and not hits and self.params["on_timeout"] == "fail":
            last = (seen["last_lines"] or ["(nothing)"])[-1]
            raise Timeout(f"the console did not show '{until}' within {self.params['read_timeout']} s",
                          remedy=f"It showed {transcript.size} bytes; its last line was: {last}",
                          last_seen=seen["last_lines"])
        return Effect(observed=seen, verified=bool(hits) if until else None)

    @contextmanager
    def _file(self) -> Iterator[Optional[BinaryIO]]:
        """Yield the file to keep the console in, readable by its owner alone; none where no path is given."""
        path = self.params.get("path")
        if path is None:
            yield None
            return
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self.params["append"] else os.O_TRUNC)
        try:
            file = os.fdopen(os.open(path, flags, 0o600), "wb")
        except OSError as error:
            raise InvalidInput(f"path '{path}' cannot be written ({error.strerror})",
                               remedy="Give a file in a folder that is there.") from error
        with file:
            yield file
