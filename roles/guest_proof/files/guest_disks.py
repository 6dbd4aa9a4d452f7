# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Disks of the host that a guest is given: it reads their first MiB, and writes it only where it is told to."""
from __future__ import annotations

import hashlib
import os
import typing as t

from guest_extras import EXTRAS as OTHERS
from guest_extras import Extra
from guest_parts import Config, ProofError

PART = 1024 ** 2  # bytes at the start of each disk that are looked at; guest_init knows the number as well
MARK = "typeone-proof "  # each pattern begins with it


def pattern_of(text: str) -> bytes:
    """What a pattern fills the part with, as guest_init makes it."""
    line = f"{MARK}{text}\n".encode()
    return (line * (PART // len(line) + 1))[:PART]


def read_part(path: str) -> bytes:
    """The part as the host finds it on the device, not as it remembers it."""
    try:
        with open(path, "rb", buffering=0) as stream:
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            found = b""
            while len(found) < PART and (more := stream.read(PART - len(found))):
                found += more
    except OSError as error:
        raise ProofError(f"{path} cannot be read ({error.strerror})") from error
    if len(found) < PART:
        raise ProofError(f"{path} has only {len(found)} bytes. Name a larger disk")
    return found


def holds_data(part: bytes) -> bool:
    """Whether there is something that no pattern of an earlier guest left."""
    line = part.partition(b"\n")[0].decode("utf-8", "replace")
    return bool(part.strip(b"\0")) and not (line.startswith(MARK) and part == pattern_of(line[len(MARK):]))


class Disks(Extra):
    """Disks in the order of the list; without a pattern the guest must find what the host finds."""

    name = "disks"
    modules = {"kvm": ("virtio_pci", "virtio_blk"), "xen": ("xen-blkfront",)}
    prefixes = {"kvm": "vd", "xen": "xvd"}

    def disks(self) -> dict[str, Config]:
        """The disks by their names in the guest."""
        prefix = self.prefixes[self.config["hypervisor"]]
        return {f"{prefix}{chr(ord('a') + number)}": disk for number, disk in enumerate(self.wish)}

    def prepare(self, guest: t.Any) -> None:
        for disk in self.wish:
            part = read_part(disk["path"])
            if disk["write"] and not disk["pattern"]:
                raise ProofError(f"{disk['path']} is to be written and no pattern is given. Give it a pattern")
            if disk["write"] and holds_data(part):
                raise ProofError(f"{disk['path']} is to be written and holds data. Name an empty disk, or leave write out")

    def words(self) -> list[str]:
        return [f"proof.disk={name},{(MARK + disk['pattern']).encode().hex() if disk['write'] else ''}"
                for name, disk in self.disks().items()]

    def xen(self, guest: t.Any) -> Config:
        return {"disk": [f"format=raw,vdev={name},access={'rw' if disk['write'] else 'ro'},target={disk['path']}"
                         for name, disk in self.disks().items()]}

    def kvm(self, guest: t.Any) -> list[str]:
        words = []
        for name, disk in self.disks().items():
            path, kept = disk["path"].replace(",", ",,"), "off" if disk["write"] else "on"
            words += ["-drive", f"id={name},file={path},format=raw,if=none,cache=none,read-only={kept}",
                      "-device", f"virtio-blk-pci,drive={name}"]
        return words

    def observe(self, guest: t.Any, answer: Config) -> Config:
        seen, found = answer.get("disks") or {}, {}
        for name, disk in self.disks().items():
            wanted = pattern_of(disk["pattern"]) if disk["pattern"] else read_part(disk["path"])
            digest = hashlib.sha256(wanted).hexdigest()
            if seen.get(name) != digest:
                raise ProofError(f"on {disk['path']} the guest finds {seen.get(name) or 'nothing'} and not {digest}, which is "
                                 + (f"the pattern {disk['pattern']}" if disk["pattern"] else "what the host finds"))
            if disk["write"] and read_part(disk["path"]) != wanted:
                raise ProofError(f"what the guest wrote on {disk['path']} is not what the host finds there")
            found[disk["path"]] = {"digest": digest, "written": disk["write"], "seen_inside": name}
        return {"disks": found, "text": ", ".join(f"{path} {'written and ' if disk['written'] else ''}read"
                                                  for path, disk in found.items())}


EXTRAS: dict[str, type[Extra]] = {**OTHERS, Disks.name: Disks}
