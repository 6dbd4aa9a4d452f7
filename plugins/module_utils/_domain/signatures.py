# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a disk carries, told from its raw bytes.

Pure: the caller hands over a reader. What libblkid does not know (Ceph's
BlueStore, VMFS, plain ciphertext) is known here, and whatever is not blank and
not known is still told, as V(unrecognised data).
"""

from __future__ import annotations

import struct
import typing as t
from dataclasses import dataclass

Reader = t.Callable[[int, int], bytes]
"""Takes offset and length in bytes, answers at most that many bytes."""

KIB = 1024
MIB = 1024 * KIB
EDGE_BYTES = MIB
"""How much of both ends of a disk has to be blank for the disk to be blank."""


@dataclass(frozen=True)
class Signature:
    """One thing found on a disk: what it is, and the byte it was found at."""

    kind: str
    offset: int

    def __str__(self) -> str:
        return f"{self.kind} at byte {self.offset}"


# (kind, offset from the start, magic)
START_MAGICS: tuple[tuple[str, int, bytes], ...] = (
    ("GPT partition table", 512, b"EFI PART"),
    ("GPT partition table", 4096, b"EFI PART"),
    ("LVM physical volume", 0, b"LABELONE"),
    ("LVM physical volume", 512, b"LABELONE"),
    ("LVM physical volume", 1024, b"LABELONE"),
    ("LVM physical volume", 1536, b"LABELONE"),
    ("Linux RAID member (metadata 1.1)", 0, struct.pack("<I", 0xA92B4EFC)),
    ("Linux RAID member (metadata 1.2)", 4096, struct.pack("<I", 0xA92B4EFC)),
    ("Ceph BlueStore device", 0, b"bluestore block device"),
    ("VMFS volume (LVM header)", 0x100000, struct.pack("<I", 0xC001D00D)),
    ("VMFS file system", 0x200000, struct.pack("<I", 0x2FABF15E)),
    ("ext file system", 1080, b"\x53\xef"),
    ("XFS file system", 0, b"XFSB"),
    ("btrfs file system", 0x10040, b"_BHRfS_M"),
    ("swap area", 4086, b"SWAPSPACE2"),
    ("swap area", 65526, b"SWAPSPACE2"),
    ("LUKS encrypted volume", 0, b"LUKS\xba\xbe"),
    ("BitLocker volume", 3, b"-FVE-FS-"),
    ("NTFS file system", 3, b"NTFS    "),
    ("ReFS file system", 3, b"ReFS\x00\x00\x00\x00"),
    ("exFAT file system", 3, b"EXFAT   "),
    ("FAT file system", 54, b"FAT1"),
    ("FAT file system", 82, b"FAT32   "),
    ("F2FS file system", 1024, struct.pack("<I", 0xF2F52010)),
    ("JFS file system", 32768, b"JFS1"),
    ("GFS2 file system", 65536, struct.pack(">I", 0x01161970)),
    ("ReiserFS file system", 65588, b"ReIsEr"),
    ("ISO 9660 file system", 32769, b"CD001"),
    ("bcache device", 4120, bytes.fromhex("c68573f64e1a45ca8265f57f48ba6d81")),
    ("Windows dynamic disk", 3072, b"PRIVHEAD"),
    ("APFS container", 32, b"NXSB"),
    ("UFS file system", 66908, struct.pack("<I", 0x00011954)),
)

# (kind, offset back from the end, magic)
END_MAGICS: tuple[tuple[str, int, bytes], ...] = (
    ("GPT backup partition table", 512, b"EFI PART"),
    ("GPT backup partition table", 4096, b"EFI PART"),
    ("DDF firmware RAID member", 512, b"\xde\x11\xde\x11"),
    ("Intel firmware RAID member", 1024, b"Intel Raid ISM Cfg Sig. "),
)

RAID_MAGIC = struct.pack("<I", 0xA92B4EFC)
ZFS_LABEL = 256 * KIB
ZFS_UBERBLOCKS = 128 * KIB
ZFS_MAGICS = (struct.pack("<Q", 0x00BAB10C), struct.pack(">Q", 0x00BAB10C))


def scan(read: Reader, size: int) -> list[Signature]:
    """Everything recognised on a disk of C(size) bytes; an empty list means blank.

    Where nothing is recognised but one of the disk's ends is not blank, a
    signature of kind V(unrecognised data) is returned: plain dm-crypt, for
    one, has no magic of any kind.
    """
    found = _magics(read, size) + _partition_table(read) + _linux_raid_at_end(read, size) + _zfs(read, size)
    if not found:
        found = _not_blank(read, size)
    unique: dict[str, Signature] = {}
    for signature in found:
        unique.setdefault(signature.kind, signature)
    return list(unique.values())


def _magics(read: Reader, size: int) -> list[Signature]:
    found = []
    for kind, offset, magic in START_MAGICS:
        if offset + len(magic) <= size and read(offset, len(magic)) == magic:
            found.append(Signature(kind, offset))
    for kind, back, magic in END_MAGICS:
        if back <= size and read(size - back, len(magic)) == magic:
            found.append(Signature(kind, size - back))
    return found


def _partition_table(read: Reader) -> list[Signature]:
    """A DOS partition table or a boot sector: both end in 55 AA."""
    sector = read(0, 512)
    if len(sector) == 512 and sector[510:] == b"\x55\xaa":
        used = any(sector[446 + 16 * slot + 4] for slot in range(4))
        return [Signature("DOS partition table" if used else "boot sector", 510)]
    return []


def _linux_raid_at_end(read: Reader, size: int) -> list[Signature]:
    """Metadata 1.0 (8 KiB before the end, on 4 KiB) and 0.90 (64 KiB before, on 64 KiB)."""
    places = (
        ("Linux RAID member (metadata 1.0)", ((size - 8 * KIB) // (4 * KIB)) * 4 * KIB),
        ("Linux RAID member (metadata 0.90)", (size // (64 * KIB)) * 64 * KIB - 64 * KIB),
    )
    return [Signature(kind, at) for kind, at in places if at >= 0 and read(at, 4) == RAID_MAGIC]


def _zfs(read: Reader, size: int) -> list[Signature]:
    """Two labels at the start, two at the end, each with 128 KiB of uberblocks on 1 KiB."""
    end = (size // ZFS_LABEL) * ZFS_LABEL
    for label in (0, ZFS_LABEL, end - 2 * ZFS_LABEL, end - ZFS_LABEL):
        if label < 0:
            continue
        area = read(label + ZFS_UBERBLOCKS, ZFS_UBERBLOCKS)
        for at in range(0, len(area) - 7, KIB):
            if area[at:at + 8] in ZFS_MAGICS:
                return [Signature("ZFS pool member", label + ZFS_UBERBLOCKS + at)]
    return []


def _not_blank(read: Reader, size: int) -> list[Signature]:
    for start in (0, max(0, size - EDGE_BYTES)):
        area = read(start, min(EDGE_BYTES, size))
        at = first_written_byte(area)
        if at is not None:
            return [Signature("unrecognised data", start + at)]
    return []


def first_written_byte(area: bytes) -> int | None:
    """The first byte of an area that is neither all zeros nor all ones; none where it is blank.

    Erased flash reads as zeros on most drives and as ones on some.
    """
    if not area or area.count(0) == len(area) or area.count(0xFF) == len(area):
        return None
    blank = area[0] if area[0] in (0, 0xFF) else None
    if blank is None:
        return 0
    return len(area) - len(area.lstrip(bytes([blank])))
