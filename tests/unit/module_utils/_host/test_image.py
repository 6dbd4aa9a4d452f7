# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image is written whole, digested, and a torn one is told."""

from __future__ import annotations

import hashlib
import pathlib
import random
import shutil
import subprocess

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._host import image
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs

pytestmark = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("zstd")), reason="curl or zstd is not installed")


class Published:
    """A packed image in a file and a disk to write it to."""

    def __init__(self, folder: pathlib.Path, size: int) -> None:
        self.raw = random.Random(17).randbytes(size)
        self.packed, self.disk = folder / "disk.img.zst", folder / "disk"
        done = subprocess.run(["zstd", "-q", "-c"], input=self.raw, capture_output=True, check=True)
        self.packed.write_bytes(done.stdout)
        self.disk.write_bytes(b"\xaa" * (size + 8192))
        self.seen: list[int] = []

    def write(self, raw_bytes: int | None = None) -> str:
        return image.write_image(self.packed.as_uri(), str(self.disk), raw_bytes=raw_bytes or len(self.raw),
                                 progress=self.seen.append, programs=Programs())


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "CHUNK", 64 * 1024)


@pytest.mark.parametrize("size", [4096, 64 * 1024, 300 * 1024, 300 * 1024 + 512])
def test_the_whole_image_is_written_and_digested(tmp_path: pathlib.Path, size: int) -> None:
    published = Published(tmp_path, size)
    assert published.write() == hashlib.sha256(published.packed.read_bytes()).hexdigest()
    assert published.disk.read_bytes() == published.raw + b"\xaa" * 8192
    assert published.seen[-1] == size


def test_a_torn_download_is_told(tmp_path: pathlib.Path) -> None:
    published = Published(tmp_path, 300 * 1024)
    published.packed.write_bytes(published.packed.read_bytes()[:100_000])
    with pytest.raises(HostError, match="unpacks to .* bytes instead of 307200"):
        published.write()


def test_an_image_that_is_larger_than_announced_is_not_written_beyond_it(tmp_path: pathlib.Path) -> None:
    published = Published(tmp_path, 300 * 1024)
    with pytest.raises(HostError, match="it unpacks to more than 131072 bytes"):
        published.write(raw_bytes=128 * 1024)
    assert published.disk.read_bytes()[128 * 1024:] == b"\xaa" * (300 * 1024 + 8192 - 128 * 1024)


def test_no_image_is_told_with_what_to_do(tmp_path: pathlib.Path) -> None:
    published = Published(tmp_path, 4096)
    published.packed.unlink()
    with pytest.raises(HostError, match="Check that the image server runs"):
        published.write()
