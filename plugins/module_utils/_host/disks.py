# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disks of the running machine: what they are, what they carry, emptying and marking them."""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.typeone.metal.plugins.module_utils._domain.disks import (
    MARKER_BYTES,
    Disk,
    Marker,
    marker_offset,
)
from ansible_collections.typeone.metal.plugins.module_utils._domain.signatures import MIB, Signature, scan
from ansible_collections.typeone.metal.plugins.module_utils._host.files import read_text
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs

LSBLK_COLUMNS = "NAME,PATH,TYPE,SERIAL,WWN,MODEL,SIZE,ROTA,TRAN,RO,RM,FSTYPE,PTTYPE,PARTTYPE,MOUNTPOINTS"
NOT_DISKS = ("loop", "ram", "zram", "sr", "fd", "md", "dm-", "nbd")
EMPTIED_EDGE = 16 * MIB
"""Zeroed at both ends before an image is written: all labels that anything leaves at the end lie there."""

PARTITION_TYPES = {
    "aa31e02a-400f-11db-9590-000c2911d1b8": "VMFS partition",
    "9d275380-40ad-11db-bf97-000c2911d1b8": "VMware diagnostic partition",
    "6a898cc3-1dd2-11b2-99a6-080020736631": "ZFS partition",
    "4fbd7e29-9d25-41b8-afd0-062c0ceff05d": "Ceph OSD partition",
    "e6d6d379-f507-44c2-a23c-238f2a3df928": "LVM partition",
    "a19d880f-05fc-4d3b-a006-743f0f84911e": "Linux RAID partition",
}


def list_disks(programs: Programs) -> list[Disk]:
    """Every whole disk; optical drives, loop devices and the like are none."""
    return [_disk(entry) for entry in _lsblk(programs) if _is_disk(entry)]


def find_device(path: str, programs: Programs) -> Disk:
    """One block device, be it a disk, a partition or a logical volume. Raises HostError."""
    shown = programs.run(["lsblk", "--json", "--bytes", "--output", LSBLK_COLUMNS, path], check=False)
    if shown.rc != 0:
        raise HostError(f"Cannot use {path} on this host: {shown.complaint}. Name a block device, best by /dev/disk/by-id.")
    return _disk(_entries(shown.stdout)[0])


def find_signatures(disk: Disk, programs: Programs) -> list[Signature]:
    """What a disk carries, by its bytes, by its partitions, and by what libblkid knows."""
    with open(disk.path, "rb", buffering=0) as stream:
        found = scan(_reader(stream), disk.size_bytes)
    found += _partitions(disk, programs)
    known = {signature.kind for signature in found}
    if not known:
        found += _wipefs(disk, programs)
    return found


def read_marker(disk: Disk) -> Marker | None:
    """Our own marker at the end of a disk; none where there is none."""
    with open(disk.path, "rb", buffering=0) as stream:
        return Marker.decode(_reader(stream)(marker_offset(disk.size_bytes), MARKER_BYTES))


def write_marker(disk: Disk, marker: Marker) -> None:
    """Put our marker on a disk and have the disk keep it."""
    with open(disk.path, "r+b", buffering=0) as stream:
        stream.seek(marker_offset(disk.size_bytes))
        stream.write(marker.encode())
        os.fsync(stream.fileno())


def empty(disk: Disk, programs: Programs) -> None:
    """Make a disk blank as far as anything looks: discard where it can, zeros at both ends in any case."""
    if programs.find("blkdiscard"):
        programs.run(["blkdiscard", "-f", disk.path], check=False)
    zeros = bytes(MIB)
    with open(disk.path, "r+b", buffering=0) as stream:
        for start in (0, max(0, disk.size_bytes - EMPTIED_EDGE)):
            stream.seek(start)
            left = min(EMPTIED_EDGE, disk.size_bytes - start)
            while left > 0:
                left -= stream.write(zeros[:left])
        os.fsync(stream.fileno())
    reread_partitions(disk, programs)


def reread_partitions(disk: Disk, programs: Programs) -> None:
    """Have the kernel read the partition table again, and udev make the nodes."""
    programs.run(["blockdev", "--rereadpt", disk.path], check=False)
    programs.run(["udevadm", "settle", "--timeout=30"], check=False)


def partition_path(disk: Disk, number: int) -> str:
    """Device of a partition: sda2, but nvme0n1p2."""
    infix = "p" if disk.path[-1].isdigit() else ""
    return f"{disk.path}{infix}{number}"


def _lsblk(programs: Programs) -> list[dict[str, t.Any]]:
    return _entries(programs.run(["lsblk", "--json", "--bytes", "--output", LSBLK_COLUMNS]).stdout)


def _entries(shown: str) -> list[dict[str, t.Any]]:
    try:
        return json.loads(shown).get("blockdevices", [])
    except ValueError as error:
        raise HostError(f"Cannot list the disks of this host: lsblk answered no JSON ({error}).") from error


def _is_disk(entry: dict[str, t.Any]) -> bool:
    return entry.get("type") == "disk" and not str(entry.get("name", "")).startswith(NOT_DISKS) and bool(entry.get("size"))


def _disk(entry: dict[str, t.Any]) -> Disk:
    name = entry["name"]
    return Disk(
        path=entry["path"],
        serial=(entry.get("serial") or _sysfs(name, "serial") or "").strip(),
        wwn=(entry.get("wwn") or _sysfs(name, "wwid") or "").strip(),
        model=(entry.get("model") or "").strip(),
        size_bytes=int(entry["size"]),
        rotational=bool(entry.get("rota")),
        transport=(entry.get("tran") or "").strip(),
        read_only=bool(entry.get("ro")),
        removable=bool(entry.get("rm")),
        in_use=tuple(_uses(entry)),
    )


def _sysfs(name: str, attribute: str) -> str | None:
    """What the kernel itself knows, for a system whose udev has no database of it."""
    return read_text(f"/sys/block/{name}/device/{attribute}") or read_text(f"/sys/block/{name}/{attribute}")


def _uses(entry: dict[str, t.Any]) -> t.Iterator[str]:
    """Mount points, and devices stacked on the disk (an active volume group, RAID or mapping)."""
    yield from (f"mounted on {place}" for place in entry.get("mountpoints") or [] if place)
    for child in entry.get("children") or []:
        if child.get("type") != "part":
            yield f"{child.get('type')} {child.get('name')}"
        yield from _uses(child)


def _partitions(disk: Disk, programs: Programs) -> list[Signature]:
    """Partitions whose type tells an owner, and file systems on them."""
    found = []
    for entry in _lsblk(programs):
        for child in (entry.get("children") or []) if entry.get("path") == disk.path else []:
            kind = PARTITION_TYPES.get(str(child.get("parttype") or "").lower())
            content = child.get("fstype")
            what = kind or (f"partition with {content}" if content else "partition")
            start = read_text(f"/sys/class/block/{child['name']}/start") or "0"
            found.append(Signature(f"{what} ({child['name']})", int(start) * 512))
    return found


def _wipefs(disk: Disk, programs: Programs) -> list[Signature]:
    """What libblkid finds; asked last, its list of rare signatures is longer than ours."""
    shown = programs.run(["wipefs", "--no-act", "--parsable", "--noheadings", disk.path], check=False)
    found = []
    for line in shown.stdout.splitlines():
        fields = line.split(",")
        if len(fields) >= 4 and not line.startswith("#"):
            found.append(Signature(fields[3], int(fields[0], 0)))
    return found


def _reader(stream: t.BinaryIO) -> t.Callable[[int, int], bytes]:
    def read(offset: int, length: int) -> bytes:
        stream.seek(offset)
        return stream.read(length) or b""

    return read
