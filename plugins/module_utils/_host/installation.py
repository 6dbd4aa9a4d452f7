# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An installation from within the ramdisk, step by step, with a progress file that anyone may read."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible_collections.typeone.metal.plugins.module_utils._domain.disks import (
    Disk,
    DiskHints,
    DiskProblem,
    Guard,
    Marker,
    choose,
    judge,
)
from ansible_collections.typeone.metal.plugins.module_utils._host import disks as host_disks
from ansible_collections.typeone.metal.plugins.module_utils._host import installed_system as system
from ansible_collections.typeone.metal.plugins.module_utils._host.files import read_text, write_atomic
from ansible_collections.typeone.metal.plugins.module_utils._host.image import write_image
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs

PROGRESS_FILE = "/run/typeone/install.json"
DISK_WAIT_SECONDS = 20.0
"""How long controllers and expanders may take to show their disks after the kernel is up."""


class Installation:
    """One installation; O(options) are those of the module os_install."""

    def __init__(self, options: dict[str, t.Any], *, programs: Programs) -> None:
        self.options = options
        self.programs = programs
        self.image: dict[str, t.Any] = options["image"]
        self.start = time.monotonic()
        self._told = 0.0

    def plan(self) -> tuple[Disk, str, list[str]]:
        """The disk, what to do with it (write, reuse), and what it carries. Raises DiskProblem."""
        self.tell("choosing the disk")
        hints = DiskHints(**{name: value for name, value in (self.options["hints"] or {}).items() if value is not None})
        disk = self._find(hints)
        signatures = host_disks.find_signatures(disk, self.programs)
        guard = Guard(node=self.options["node"], image_key=self.image["key"],
                      destroy=tuple(self.options["destroy"] or ()), unfinished=tuple(self.options["unfinished"] or ()))
        what = judge(disk, signatures, marker=host_disks.read_marker(disk), guard=guard)
        return disk, what, [str(signature) for signature in signatures]

    def _find(self, hints: DiskHints) -> Disk:
        """Choose, and look again for a while: disks behind some controllers appear late."""
        while True:
            try:
                return choose(host_disks.list_disks(self.programs), hints)
            except DiskProblem:
                if time.monotonic() - self.start > DISK_WAIT_SECONDS:
                    raise
                time.sleep(1)

    def run(self, disk: Disk, what: str) -> dict[str, t.Any]:
        """Write the disk (unless the image is on it already) and make the system this node's own."""
        digest = self.image["compressed_sha256"]
        if what == "write":
            digest = self._write(disk)
        self.tell("growing the root file system")
        root = system.grow_root(disk, self.programs)
        self._identify(root, what)
        self._mark(disk, "ready")
        return {"root": root.path, "root_bytes": root.size_bytes, "sha256": digest, "reused": what == "reuse",
                "switch_possible": self.same_kernel()}

    def _write(self, disk: Disk) -> str:
        self.tell(f"emptying {disk.path} (serial {disk.serial})")
        host_disks.empty(disk, self.programs)
        self._mark(disk, "writing")
        total = int(self.image["raw_bytes"])
        if total > disk.size_bytes - system.SPARE_BYTES:
            raise HostError(f"Cannot write the image to {disk}: it needs {total} bytes. Choose a larger disk.")
        self.tell("writing the image", done=0, total=total)
        digest = write_image(self.options["image_url"], disk.path, raw_bytes=total, programs=self.programs,
                             progress=lambda done: self.tell("writing the image", done=done, total=total))
        if digest != self.image["compressed_sha256"]:
            raise HostError(f"Cannot use the image of {self.options['image_url']}: its SHA-256 is {digest} instead of "
                            f"{self.image['compressed_sha256']}. Have the image built and published again.")
        return digest

    def _identify(self, root: system.Grown, what: str) -> None:
        self.tell("writing identity, network and boot arguments")
        place = self.options["mount_point"]
        old = next((part["uuid"] for part in self.image.get("partitions", []) if part["role"] == "root"), "") or ""
        new = system.renew_uuid(root, old=old, programs=self.programs) if what == "write" else ""
        system.mount_root(root, place, self.programs)
        if new:
            system.replace_in_files(place, self.image.get("uuid_files", []), old=old, new=new)
        system.write_identity(place, {**self.options["network"], "hostname": self.options["hostname"]})
        system.write_stamp(place, self.options["stamp"])
        os.sync()

    def _mark(self, disk: Disk, state: str) -> None:
        host_disks.write_marker(disk, Marker(state=state, node=self.options["node"], image_key=self.image["key"],
                                             deploy_id=self.options["deploy_id"]))

    def same_kernel(self) -> bool:
        """Whether the running kernel is the installed one, so that the root can be switched without a boot."""
        return os.path.isdir(f"{self.options['mount_point']}/lib/modules/{os.uname().release}")

    def tell(self, step: str, *, done: int | None = None, total: int | None = None) -> None:
        """Write down where the installation is, at most once in half a second within a step."""
        now = time.monotonic()
        if done is not None and done != total and now - self._told < 0.5:
            return
        self._told = now
        state = {"step": step, "done": done, "total": total, "seconds": round(now - self.start, 1)}
        write_progress(state)


def write_progress(state: dict[str, t.Any]) -> None:
    """Replace the progress file; it lies in memory."""
    write_atomic(PROGRESS_FILE, json.dumps(state) + "\n")


def running_boot() -> dict[str, str]:
    """Boot id and arguments of the running kernel."""
    return {"boot_id": read_text("/proc/sys/kernel/random/boot_id") or "", "command_line": read_text("/proc/cmdline") or ""}
