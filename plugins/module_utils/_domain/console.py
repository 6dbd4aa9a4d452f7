# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read of a serial console: kept in a file as it comes, its end at hand for patterns and messages."""

from __future__ import annotations

import re
from typing import BinaryIO, Optional

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\-_]|[\x00-\x08\x0b-\x1f\x7f]")
# Bytes of the end of what was read that are kept at hand.
KEPT = 16384


class Transcript:
    """What was read so far. ``file`` gets every piece as it is, at once."""

    def __init__(self, file: Optional[BinaryIO] = None) -> None:
        self._file = file
        self._end = b""
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Keep a piece."""
        self.size += len(piece)
        self._end = (self._end + piece)[-KEPT:]
        if self._file is not None:
            self._file.write(piece)
            self._file.flush()

    def last_lines(self, count: int) -> list[str]:
        """Return the last lines that are not empty, without what moves the cursor and sets colours."""
        text = plain(self._end.decode("utf-8", "replace"))
        return [line.rstrip() for line in text.split("\n") if line.strip()][-count:]


def plain(text: str) -> str:
    """Return a text without control sequences; a line that is written over is its last writing."""
    lines = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n")]
    return _CONTROL.sub("", "\n".join(lines))


def found(pattern: str, text: str) -> Optional[str]:
    """Return what a regular expression finds in a text, ``^`` and ``$`` at its lines; ``None`` where nothing."""
    hit = re.search(pattern, plain(text), re.MULTILINE)
    return hit[0] if hit else None
