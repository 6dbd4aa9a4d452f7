# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stream a compressed disk image onto a disk: constant memory, direct writes, the digest of what was sent."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import subprocess
import threading
import typing as t

from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs

CHUNK = 4 * 1024 * 1024
PIECE = 256 * 1024
STALLED_SECONDS = 20
"""An image server that gives less than STALLED_BYTES a second for this long is taken for dead."""
STALLED_BYTES = 1024
CURL_CAUSES = {
    6: "the name of the image server is unknown",
    7: "the image server refuses the connection",
    18: "the image server closed the connection half-way",
    22: "the image server answered with an error",
    28: f"the image server sent nothing for {STALLED_SECONDS} s",
    52: "the image server closed the connection without an answer",
    56: "the connection to the image server broke",
}

ProgressCall = t.Callable[[int], None]


class _Digest(threading.Thread):
    """Passes the packed image on and digests it: it is a fraction of what is written, and hashing is dear."""

    def __init__(self, source: t.BinaryIO, sink: t.BinaryIO) -> None:
        super().__init__(daemon=True)
        self.source, self.sink = source, sink
        self.sha256 = hashlib.sha256()

    def run(self) -> None:
        """Pass on until there is no more, or nobody takes more."""
        with contextlib.suppress(BrokenPipeError), self.source:
            while piece := self.source.read(PIECE):
                self.sha256.update(piece)
                self.sink.write(piece)
        with contextlib.suppress(BrokenPipeError):
            self.sink.close()


def write_image(url: str, target: str, *, raw_bytes: int, progress: ProgressCall, programs: Programs) -> str:
    """Write the image at C(url) to the device C(target); returns the SHA-256 of the packed image.

    C(raw_bytes) is what the image unpacks to; that it was unpacked rightly is zstd's own checksum's to say. Raises
    HostError where the server fails, stalls, or sends something else than announced; the device then holds a torn image.
    """
    curl = [programs.need("curl"), "--silent", "--show-error", "--fail", "--connect-timeout", "15",
            "--speed-limit", str(STALLED_BYTES), "--speed-time", str(STALLED_SECONDS), url]
    unpack = [programs.need("zstd"), "--decompress", "--stdout", "--quiet"]
    pipes: dict[str, t.Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(curl, **pipes) as download, subprocess.Popen(unpack, stdin=subprocess.PIPE, **pipes) as raw:
        digest = _Digest(download.stdout, raw.stdin)
        digest.start()
        try:
            written = _copy(raw.stdout, target, raw_bytes=raw_bytes, progress=progress)
            more = bool(raw.stdout.read(1))
        finally:
            raw.stdout.close()
            digest.join()
        unpack_said = raw.stderr.read().decode(errors="replace").strip()
        download_said = download.stderr.read().decode(errors="replace").strip()
    if download.returncode not in (0, 23):
        cause = CURL_CAUSES.get(download.returncode, f"curl ended with status {download.returncode}")
        raise HostError(f"Cannot write the image of {url} to {target}: {cause} after {written} of {raw_bytes} "
                        f"unpacked bytes ({download_said}). Check that the image server runs and is reachable, then deploy again.")
    if raw.returncode or more or written != raw_bytes:
        size = f"more than {raw_bytes} bytes" if more else f"{written} bytes"
        raise HostError(f"Cannot write the image of {url} to {target}: it unpacks to {size} instead of "
                        f"{raw_bytes} ({unpack_said or 'no further message'}). Have the image built and published again.")
    return digest.sha256.hexdigest()


def _copy(source: t.BinaryIO, target: str, *, raw_bytes: int, progress: ProgressCall) -> int:
    """Copy to the device, never more than C(raw_bytes); answers how much. The buffer is aligned to pages."""
    handle = os.open(target, os.O_WRONLY | getattr(os, "O_DIRECT", 0))
    written = 0
    try:
        with mmap.mmap(-1, CHUNK) as buffer:
            while length := _fill(source, buffer, limit=min(CHUNK, raw_bytes - written)):
                handle = _aligned(handle, target, length)
                with memoryview(buffer) as view:
                    _write_all(handle, view[:length], offset=written)
                written += length
                progress(written)
        os.fsync(handle)
    finally:
        os.close(handle)
    return written


def _fill(source: t.BinaryIO, buffer: mmap.mmap, *, limit: int) -> int:
    """Fill a buffer up to C(limit), as far as the source goes; pipes answer in small pieces."""
    length = 0
    with memoryview(buffer) as view:
        while length < limit:
            count = source.readinto(view[length:limit])
            if not count:
                break
            length += count
    return length


def _aligned(handle: int, target: str, length: int) -> int:
    """Direct writes need whole 4 KiB blocks: an odd tail goes through the page cache."""
    if length % 4096 == 0:
        return handle
    os.close(handle)
    return os.open(target, os.O_WRONLY)


def _write_all(handle: int, view: memoryview, *, offset: int) -> None:
    done = 0
    while done < len(view):
        done += os.pwrite(handle, view[done:], offset + done)
