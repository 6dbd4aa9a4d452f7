# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disk an installation goes to, and whether it may be written.

Pure: a list of disks, hints and what was found on them go in, a decision comes
out. A disk is chosen by what it is, never by its name: names change from boot
to boot.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.typeone.metal.plugins.module_utils._domain.signatures import Signature

GIB = 1024 ** 3
MARKER_MAGIC = b"TYPEONE-METAL-DISK-1"
MARKER_BYTES = 4096
MARKER_BACK = 2 * 1024 * 1024
"""The marker lies this far before the end of the disk; no partition of ours reaches it."""


class DiskProblem(Exception):
    """No disk can be used; the text says why and what can be done."""


@dataclass(frozen=True)
class Disk:
    """One disk as the running system sees it; C(size_bytes) in bytes."""

    path: str
    serial: str = ""
    wwn: str = ""
    model: str = ""
    size_bytes: int = 0
    rotational: bool = False
    transport: str = ""
    read_only: bool = False
    removable: bool = False
    in_use: tuple[str, ...] = ()

    def __str__(self) -> str:
        size = f"{self.size_bytes / GIB:.1f} GiB"
        about = [f"serial {self.serial or 'unknown'}", size, self.kind]
        if self.wwn:
            about.append(f"WWN {self.wwn}")
        return f"{self.path} ({', '.join(about)})"

    @property
    def kind(self) -> str:
        """The neutral type: nvme, hdd or ssd."""
        if self.transport == "nvme":
            return "nvme"
        return "hdd" if self.rotational else "ssd"


@dataclass(frozen=True)
class DiskHints:
    """What is asked of the disk; a hint that is not given restricts nothing."""

    serial: str | None = None
    wwn: str | None = None
    min_size_gib: float | None = None
    max_size_gib: float | None = None
    type: str | None = None
    rotational: bool | None = None

    def __str__(self) -> str:
        given = [f"{name} {value}" for name, value in asdict(self).items() if value is not None]
        return ", ".join(given) or "no hints"


@dataclass(frozen=True)
class Marker:
    """What we leave at the end of a disk that we write: C(state) is writing or ready."""

    state: str
    node: str
    deploy_id: str
    image_key: str = ""

    def encode(self) -> bytes:
        """The marker as one block of V(MARKER_BYTES) bytes."""
        body = MARKER_MAGIC + b"\n" + json.dumps(asdict(self)).encode() + b"\n"
        return body.ljust(MARKER_BYTES, b"\x00")

    @classmethod
    def decode(cls, block: bytes) -> Marker | None:
        """The marker in a block; none where there is none, or an unreadable one."""
        if not block.startswith(MARKER_MAGIC + b"\n"):
            return None
        try:
            values = json.loads(block[len(MARKER_MAGIC):].rstrip(b"\x00").decode())
            return cls(**{name: str(values[name]) for name in ("state", "node", "deploy_id", "image_key")})
        except (ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True)
class Guard:
    """What the controller allows for this run."""

    node: str
    image_key: str
    destroy: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = field(default=())
    """Ids of this node's deploys that were begun and never ended."""


def marker_offset(size_bytes: int) -> int:
    """Where the marker lies, aligned to 4 KiB as direct writes need it."""
    return (size_bytes - MARKER_BACK) // MARKER_BYTES * MARKER_BYTES


def same_serial(left: str, right: str) -> bool:
    """Compare serial numbers or WWNs as people write them: case, blanks and 0x do not count."""
    return bool(left) and normalised(left) == normalised(right)


def normalised(identifier: str) -> str:
    """An identifier in the form in which it is compared."""
    value = "".join(identifier.split()).lower()
    for prefix in ("0x", "naa.", "eui.", "wwn-"):
        value = value.removeprefix(prefix)
    return value


def mismatch(disk: Disk, hints: DiskHints) -> str | None:
    """Why a disk does not answer the hints; none where it does."""
    checks: tuple[tuple[bool, str], ...] = (
        (disk.read_only, "it is read-only"),
        (disk.removable and not hints.serial, "it is removable"),
        (bool(hints.serial) and not same_serial(disk.serial, hints.serial or ""), f"its serial is {disk.serial or 'unknown'}"),
        (bool(hints.wwn) and not same_serial(disk.wwn, hints.wwn or ""), f"its WWN is {disk.wwn or 'unknown'}"),
        (_below(disk, hints.min_size_gib), f"it has {disk.size_bytes / GIB:.1f} GiB, less than {hints.min_size_gib}"),
        (_above(disk, hints.max_size_gib), f"it has {disk.size_bytes / GIB:.1f} GiB, more than {hints.max_size_gib}"),
        (hints.type is not None and disk.kind != hints.type, f"its type is {disk.kind}"),
        (hints.rotational is not None and disk.rotational != hints.rotational,
         "it is rotational" if disk.rotational else "it is not rotational"),
    )
    return next((why for failed, why in checks if failed), None)


def _below(disk: Disk, limit: float | None) -> bool:
    return limit is not None and disk.size_bytes < limit * GIB


def _above(disk: Disk, limit: float | None) -> bool:
    return limit is not None and disk.size_bytes > limit * GIB


def choose(disks: t.Sequence[Disk], hints: DiskHints) -> Disk:
    """The one disk that answers the hints; raises DiskProblem for none and for several."""
    reasons = {disk: mismatch(disk, hints) for disk in disks}
    matching = [disk for disk, reason in reasons.items() if reason is None]
    if len(matching) == 1:
        return matching[0]
    if not disks:
        raise DiskProblem("the machine shows no disk at all. Check the controller's mode, its driver and the cabling.")
    if not matching:
        seen = "; ".join(f"{disk}: {reason}" for disk, reason in reasons.items())
        raise DiskProblem(f"no disk matches the hints ({hints}); seen: {seen}. Correct typeone_disk_hints.")
    seen = "; ".join(str(disk) for disk in matching)
    raise DiskProblem(f"{len(matching)} disks match the hints ({hints}): {seen}. "
                      "Add the serial or the WWN of the right one to typeone_disk_hints.")


def judge(disk: Disk, signatures: t.Sequence[Signature], *, marker: Marker | None, guard: Guard) -> str:
    """What to do with the chosen disk: V(write) it, or V(reuse) what we wrote.

    Raises DiskProblem where it carries data that nobody allowed to destroy.
    A disk that we were writing when we were stopped is ours to write again.
    """
    if disk.in_use:
        raise DiskProblem(f"{disk} is in use by the running system ({', '.join(disk.in_use)}). Choose another disk.")
    if any(same_serial(disk.serial, serial) for serial in guard.destroy):
        return "write"
    if marker and marker.node == guard.node:
        if marker.state == "writing":
            return "write"
        if marker.deploy_id in guard.unfinished:
            return "reuse" if marker.image_key == guard.image_key else "write"
    if not signatures:
        return "write"
    what = ", ".join(str(signature) for signature in signatures)
    owner = f" It is the installation of {marker.node}." if marker else ""
    raise DiskProblem(f"{disk} holds data: {what}.{owner} To lose what is on it, add its serial "
                      f"'{disk.serial}' to typeone_disk_destroy of this node.")
