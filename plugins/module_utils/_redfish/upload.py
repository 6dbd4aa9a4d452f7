# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file as the body of a request, read from disk while it is sent: its size in memory does not matter."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any, Callable, Iterator, Optional

Json = dict[str, Any]
MIB = 1 << 20
# Progress is told at every so many percent.
STEP = 5


class Upload:
    """Reads as the bytes to send: ``head``, the file, ``tail``. May be rewound, as a repeated request needs it.

    ``content_type`` goes into the request's header; ``summary`` stands for the body in results.
    """

    def __init__(self, path: str, *, tell: Callable[[str], None], content_type: str = "application/octet-stream",
                 head: bytes = b"", tail: bytes = b"", summary: Optional[Json] = None) -> None:
        self.content_type = content_type
        self.name = os.path.basename(path)
        self._file = open(path, "rb")
        self._size = os.fstat(self._file.fileno()).st_size
        self._head, self._tail, self._tell = head, tail, tell
        self._at = 0
        self._told = 0
        self.summary = {"file": self.name, "size_bytes": self._size, **(summary or {})}

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, *unused: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(65536):
            yield piece

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to an offset from the start; to the start is what a repeated request asks for."""
        self._at = len(self) + offset if whence == os.SEEK_END else offset
        self._told = 0
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer than ``size`` at the borders of the parts, none at the end."""
        size = len(self) if size is None or size < 0 else size
        begin = self._at - len(self._head)
        if begin < 0:
            piece = self._head[self._at:self._at + size]
        elif begin < self._size:
            self._file.seek(begin)
            piece = self._file.read(min(size, self._size - begin))
        else:
            piece = self._tail[begin - self._size:begin - self._size + size]
        self._at += len(piece)
        self._progress()
        return piece

    def _progress(self) -> None:
        percent = 100 * self._at // max(len(self), 1)
        if percent >= self._told + STEP:
            self._told = percent - percent % STEP
            self._tell(f"sending {self.name}: {self._told} % of {self._size / MIB:.0f} MiB")


def multipart(path: str, *, parameters: Json, tell: Callable[[str], None]) -> Upload:
    """Return the body of a multipart push: ``UpdateParameters`` and ``UpdateFile`` (DSP0266, section on updates)."""
    mark = f"typeone-{uuid.uuid4().hex}"
    name = os.path.basename(path).replace('"', "_").replace("\r", "_").replace("\n", "_")
    head = (f'--{mark}\r\nContent-Disposition: form-data; name="UpdateParameters"\r\nContent-Type: application/json\r\n\r\n'
            f'{json.dumps(parameters)}\r\n--{mark}\r\nContent-Disposition: form-data; name="UpdateFile"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n")
    return Upload(path, tell=tell, content_type=f"multipart/form-data; boundary={mark}", head=head.encode(),
                  tail=f"\r\n--{mark}--\r\n".encode(), summary={"parameters": parameters})
