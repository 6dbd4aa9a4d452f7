# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is behind the disks of a storage target: devices and files, looked at before anything is exported."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ansible_collections.typeone.metal.plugins.module_utils._domain.disks import same_serial
from ansible_collections.typeone.metal.plugins.module_utils._domain.hugepages import format_size
from ansible_collections.typeone.metal.plugins.module_utils._domain.signatures import scan
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage import StorageDisk
from ansible_collections.typeone.metal.plugins.module_utils._host.disks import find_device, find_signatures
from ansible_collections.typeone.metal.plugins.module_utils._host.files import below
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs


@dataclass(frozen=True)
class Backing:
    """A disk's device or file as it is: `size` in bytes, `make` where the file is not there yet."""

    disk: StorageDisk
    size: int
    make: bool = False


class Backings:
    """Looks at backings. `accepted` are serial numbers, WWNs and paths whose data may be exported."""

    def __init__(self, root: str, programs: Programs, accepted: Collection[str]) -> None:
        self.root = root
        self.programs = programs
        self.accepted = accepted

    def look(self, disk: StorageDisk, *, exported: bool) -> Backing:
        """The backing of a disk; one that is exported already may hold data. Raises HostError."""
        return self._device(disk, exported) if disk.size is None else self._file(disk, exported)

    def _device(self, disk: StorageDisk, exported: bool) -> Backing:
        path = below(self.root, disk.path)
        if not os.path.exists(path):
            raise HostError(f"Cannot export {disk.path} of this host: it is not there. Compare it with ls -l /dev/disk/by-id.")
        device = find_device(path, self.programs)
        if exported:
            return Backing(disk, device.size_bytes)
        if device.in_use:
            raise HostError(
                f"Cannot export {device}: it is in use by this host ({', '.join(device.in_use)}). Choose another device."
            )
        names = [disk.path, device.path, os.path.realpath(path)]
        if not any(name in self.accepted for name in names) and not any(
            same_serial(own, name) for own in (device.serial, device.wwn) for name in self.accepted
        ):
            found = find_signatures(device, self.programs)
            if found:
                raise HostError(
                    f"Cannot export {device}: it holds data: {', '.join(map(str, found))}. Initiators would find it and could "
                    f"overwrite it. If that is wanted, add {device.serial or disk.path!r} to accept_data."
                )
        return Backing(disk, device.size_bytes)

    def _file(self, disk: StorageDisk, exported: bool) -> Backing:
        path, wanted = below(self.root, disk.path), disk.size or 0
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return Backing(disk, wanted, make=True)
        except OSError as error:
            raise HostError(f"Cannot export {disk.path} of this host: {error.strerror}. Choose another path.") from error
        if not stat.S_ISREG(status.st_mode):
            raise HostError(f"Cannot export {disk.path} of this host: it is no file. Name it by device instead of file.")
        if status.st_size != wanted:
            raise HostError(
                f"Cannot export {disk.path} of this host: it has {format_size(status.st_size)} ({status.st_size} bytes), and size "
                f"asks for {format_size(wanted)}. Correct size, or remove the target, change the file by truncate, and run again."
            )
        if not exported and disk.path not in self.accepted:
            with open(path, "rb", buffering=0) as stream:
                found = scan(lambda offset, length: os.pread(stream.fileno(), length, offset), wanted)
            if found:
                raise HostError(
                    f"Cannot export {disk.path} of this host: it holds data: {', '.join(map(str, found))}. Initiators would find it "
                    f"and could overwrite it. If that is wanted, add {disk.path} to accept_data."
                )
        return Backing(disk, wanted)

    def identity(self, path: str) -> object:
        """What is the same for two names of one device or file."""
        path = below(self.root, path)
        try:
            status = os.stat(path)
        except OSError:
            return os.path.realpath(path)
        return ("device", status.st_rdev) if stat.S_ISBLK(status.st_mode) else (status.st_dev, status.st_ino)

    def check_room(self, backings: Iterable[Backing], others: Iterable[str]) -> None:
        """Refuse new files that their file system could not hold beside those that there are: files are sparse, and fill up
        later. `others` are paths of what else is exported. Raises HostError.
        """
        new: dict[str, list[Backing]] = {}
        paths = set(others)
        for backing in backings:
            if backing.make:
                new.setdefault(self._file_system(backing.disk.path), []).append(backing)
            else:
                paths.add(backing.disk.path)
        for folder, files in new.items():
            asked = sum(backing.size for backing in files)
            promised = sum(self._unfilled(path) for path in paths if self._file_system(path) == folder)
            free = os.statvfs(folder)
            room = free.f_bavail * free.f_frsize
            if room < asked + promised:
                held = f", {format_size(promised)} are promised to files that are not full yet" if promised else ""
                raise HostError(
                    f"Cannot make {', '.join(backing.disk.path for backing in files)} on this host: {format_size(asked)} are asked "
                    f"for{held}, and {format_size(room)} are free there. Ask for less, or choose another file system."
                )

    def _file_system(self, path: str) -> str:
        """The folder on which the file system of a path is mounted."""
        folder = os.path.dirname(os.path.realpath(below(self.root, path)))
        while not os.path.isdir(folder) or not (os.path.ismount(folder) or folder == "/"):
            folder = os.path.dirname(folder)
        return folder

    def _unfilled(self, path: str) -> int:
        """Bytes that a sparse file will take yet."""
        try:
            status = os.stat(below(self.root, path))
        except OSError:
            return 0
        return max(0, status.st_size - 512 * status.st_blocks) if stat.S_ISREG(status.st_mode) else 0

    def make(self, backing: Backing) -> None:
        """Make the file of a backing, sparse, readable by nobody else. Raises HostError."""
        path = below(self.root, backing.disk.path)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            try:
                os.ftruncate(handle, backing.size)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise HostError(f"Cannot make {backing.disk.path} on this host: {error.strerror}. Check the file system.") from error
