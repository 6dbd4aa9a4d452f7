# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Wait for a new line in a build's progress file, 20 seconds at the longest, and print it as JSON.

Arguments: the file, and how many lines have been seen before. Prints ``seen`` (lines there are now) and ``line``.
"""
from __future__ import annotations

import json
import pathlib
import sys
import time

LONGEST = 20.0
LAST = (" built", " was there already")


def read(path: pathlib.Path) -> list[str]:
    """The lines that are there; none while there is no file."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def wait(path: pathlib.Path, seen: int, *, longest: float = LONGEST) -> dict[str, object]:
    """Return as soon as there are more lines than were seen; what was said last is the answer otherwise."""
    deadline = time.monotonic() + longest
    lines = read(path)
    while len(lines) <= seen and time.monotonic() < deadline and not (lines and lines[-1].endswith(LAST)):
        time.sleep(0.2)
        lines = read(path)
    return {"seen": len(lines), "line": lines[-1].strip() if lines else "starting"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(wait(pathlib.Path(sys.argv[1]), int(sys.argv[2]))) + "\n")
