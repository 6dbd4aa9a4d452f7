# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""multipart/form-data, parsed as it comes, in constant memory (RFC 7578, RFC 2046)."""

from __future__ import annotations

from .messages import refusal

_HEAD = 64 * 1024


class Reader:
    """Parts of a body that comes in pieces."""

    def __init__(self, pieces, boundary: str) -> None:
        self._pieces = iter(pieces)
        self._mark = b"\r\n--" + boundary.encode("latin-1")
        self._buffer = b"\r\n"          # so that the first boundary looks like the others

    def parts(self):
        """(head as text, iterator over the content) for each part; the content must be read before the next part."""
        for _piece in self._until(self._mark):
            pass
        while self._enough(2) and not self._buffer.startswith(b"--"):
            head = b"".join(self._until(b"\r\n\r\n", limit=_HEAD))
            yield head.decode("latin-1"), self._until(self._mark)

    def _enough(self, size: int) -> bool:
        while len(self._buffer) < size:
            piece = next(self._pieces, None)
            if piece is None:
                raise refusal("UnrecognizedRequestBody")
            self._buffer += piece
        return True

    def _until(self, mark: bytes, *, limit: int = 0):
        """What comes before a mark, in pieces; the mark itself is dropped. `limit`: no more than so many bytes."""
        taken = 0
        while True:
            place = self._buffer.find(mark)
            if place >= 0:
                found, self._buffer = self._buffer[:place], self._buffer[place + len(mark):]
                yield found
                return
            keep = len(mark) - 1
            found, self._buffer = self._buffer[:-keep], self._buffer[-keep:]
            taken += len(found)
            if limit and taken > limit:
                raise refusal("UnrecognizedRequestBody")
            if found:
                yield found
            self._enough(len(self._buffer) + 1)
