# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each signature is found where its format puts it, and a blank disk is blank."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain import signatures as sig

SIZE = 64 * sig.MIB


class SparseDisk:
    """A disk of zeros with some bytes written."""

    def __init__(self, *writes: tuple[int, bytes], size: int = SIZE, fill: bytes = b"\x00") -> None:
        self.writes = writes
        self.size = size
        self.fill = fill

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        area = bytearray(self.fill * length)
        for at, data in self.writes:
            for index, byte in enumerate(data):
                if offset <= at + index < offset + length:
                    area[at + index - offset] = byte
        return bytes(area)

    def kinds(self) -> set[str]:
        return {signature.kind for signature in sig.scan(self.read, self.size)}


@pytest.mark.parametrize("fill", [b"\x00", b"\xff"])
def test_a_blank_disk_carries_nothing(fill: bytes) -> None:
    assert SparseDisk(fill=fill).kinds() == set()


@pytest.mark.parametrize("kind, offset, magic", sig.START_MAGICS)
def test_magics_at_the_start(kind: str, offset: int, magic: bytes) -> None:
    assert kind in SparseDisk((offset, magic)).kinds()


@pytest.mark.parametrize("kind, back, magic", sig.END_MAGICS)
def test_magics_at_the_end(kind: str, back: int, magic: bytes) -> None:
    assert kind in SparseDisk((SIZE - back, magic)).kinds()


@pytest.mark.parametrize("offset, kind", [
    (SIZE - 8 * sig.KIB, "Linux RAID member (metadata 1.0)"),
    (SIZE - 64 * sig.KIB, "Linux RAID member (metadata 0.90)"),
])
def test_linux_raid_at_the_end(offset: int, kind: str) -> None:
    assert kind in SparseDisk((offset, sig.RAID_MAGIC)).kinds()


@pytest.mark.parametrize("label", [0, sig.ZFS_LABEL, SIZE - 2 * sig.ZFS_LABEL, SIZE - sig.ZFS_LABEL])
@pytest.mark.parametrize("magic", sig.ZFS_MAGICS)
def test_zfs_in_each_of_its_labels(label: int, magic: bytes) -> None:
    assert "ZFS pool member" in SparseDisk((label + sig.ZFS_UBERBLOCKS + 8 * sig.KIB, magic)).kinds()


def test_partition_table_and_boot_sector() -> None:
    used = struct.pack("<BBBBBBBBII", 0, 0, 2, 0, 0x83, 0, 0, 0, 2048, 4096)
    assert SparseDisk((446, used), (510, b"\x55\xaa")).kinds() == {"DOS partition table"}
    assert SparseDisk((510, b"\x55\xaa")).kinds() == {"boot sector"}


@pytest.mark.parametrize("offset", [0, 12345, SIZE - 1])
def test_unknown_bytes_at_the_ends_are_told(offset: int) -> None:
    found = sig.scan(SparseDisk((offset, b"\x17")).read, SIZE)
    assert [str(signature) for signature in found] == [f"unrecognised data at byte {offset}"]


def test_old_data_in_the_middle_does_not_count() -> None:
    assert SparseDisk((SIZE // 2, b"something long forgotten")).kinds() == set()


def test_a_tiny_disk_is_no_error() -> None:
    assert SparseDisk(size=4096).kinds() == set()
