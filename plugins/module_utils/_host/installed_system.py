# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a freshly written image this node's own system: size, identity, network, boot arguments, stamp."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shutil
import typing as t

from ansible_collections.typeone.metal.plugins.module_utils._domain.disks import MARKER_BACK, Disk
from ansible_collections.typeone.metal.plugins.module_utils._host.disks import partition_path, reread_partitions
from ansible_collections.typeone.metal.plugins.module_utils._host.files import write_atomic
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs

LINUX_ROOT_TYPES = ("4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "44479540-f297-41b2-9af7-d131d5f0458a")
"""GPT types of a root partition on x86-64 and x86 (Discoverable Partitions Specification)."""
STAMP = "/etc/typeone/deployed.json"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
AUTHORIZED_KEYS = "/root/.ssh/authorized_keys"
NETWORK_FILE = "/etc/systemd/network/10-typeone-boot.network"
SPARE_BYTES = 2 * MARKER_BACK
"""Left free at the end of the disk: the backup partition table and our marker."""


class Grown(t.NamedTuple):
    """The root partition after it was grown."""

    number: int
    path: str
    size_bytes: int


def grow_root(disk: Disk, programs: Programs) -> Grown:
    """Move the backup partition table to the end of the disk and let the root partition fill it."""
    programs.run(["sgdisk", "--move-second-header", disk.path])
    table = json.loads(programs.run(["sfdisk", "--json", disk.path]).stdout)["partitiontable"]
    sector = int(table.get("sectorsize", 512))
    number, root = _root_partition(table["partitions"], disk)
    size = (disk.size_bytes - SPARE_BYTES) // sector - int(root["start"])
    size -= size % (1024 * 1024 // sector)
    if size > int(root["size"]):
        programs.run(["sfdisk", "--no-reread", "--partno", str(number), disk.path], stdin=f", {size}\n")
    reread_partitions(disk, programs)
    path = partition_path(disk, number)
    if not os.path.exists(path):
        raise HostError(f"Cannot find {path} after the image was written: the kernel did not read the partition "
                        "table. Look at the ramdisk's kernel log.")
    return Grown(number=number, path=path, size_bytes=size * sector)


def _root_partition(partitions: list[dict[str, t.Any]], disk: Disk) -> tuple[int, dict[str, t.Any]]:
    """Number and description of the root partition: by its type, else the last one."""
    for entry in partitions:
        if entry.get("type", "").lower() in LINUX_ROOT_TYPES:
            return _number(entry), entry
    if not partitions:
        raise HostError(f"Cannot use the image on {disk.path}: it has no partitions. Have the image built again.")
    last = max(partitions, key=lambda entry: int(entry["start"]))
    return _number(last), last


def _number(entry: dict[str, t.Any]) -> int:
    found = re.search(r"(\d+)$", entry["node"])
    return int(found.group(1)) if found else 1


def mount_root(root: Grown, place: str, programs: Programs) -> None:
    """Mount the root where the ramdisk will switch to, and let its file system fill the partition."""
    os.makedirs(place, exist_ok=True)
    if os.path.ismount(place):
        programs.run(["umount", "--recursive", place])
    programs.run(["e2fsck", "-p", root.path], check=False)
    programs.run(["mount", root.path, place])
    programs.run(["resize2fs", root.path], timeout=600)


def write_identity(place: str, identity: dict[str, t.Any]) -> None:
    """Hostname, host key, who may log in, and the address, all of them as the ramdisk has them."""
    name = identity["hostname"]
    short = name.split(".")[0]
    write_atomic(place + "/etc/hostname", name + "\n")
    names = f"{name} {short}" if short != name else name
    write_atomic(place + "/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {names}\n::1 localhost ip6-localhost\n")
    for left in os.listdir(place + "/etc/ssh"):
        if left.startswith("ssh_host_"):
            os.unlink(f"{place}/etc/ssh/{left}")
    for path, mode in ((HOST_KEY, 0o600), (HOST_KEY + ".pub", 0o644), (AUTHORIZED_KEYS, 0o600)):
        _copy(path, place + path, mode)
    os.chmod(place + os.path.dirname(AUTHORIZED_KEYS), 0o700)
    write_atomic(place + NETWORK_FILE, network_file(identity))
    if identity.get("dns") and not os.path.islink(place + "/etc/resolv.conf"):
        write_atomic(place + "/etc/resolv.conf", "".join(f"nameserver {server}\n" for server in identity["dns"]))


def _copy(source: str, target: str, mode: int) -> None:
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)
        os.chmod(target, mode)
    except OSError as error:
        raise HostError(f"Cannot hand {source} over to the installed system: {error.strerror}. "
                        "The ramdisk did not get its bundle; deploy again.") from error


def network_file(identity: dict[str, t.Any]) -> str:
    """The unit of systemd-networkd for the NIC that the node booted from, matched by its MAC address."""
    address = ipaddress.ip_interface(identity["address"])
    lines = ["# Written by typeone.metal.", "[Match]", f"MACAddress={identity['mac']}", "Type=ether", "",
             "[Network]", f"Address={address.with_prefixlen}", "LinkLocalAddressing=ipv6", "IPv6AcceptRA=no"]
    if identity.get("gateway"):
        lines.append(f"Gateway={identity['gateway']}")
    lines += [f"DNS={server}" for server in identity.get("dns") or []]
    return "\n".join(lines) + "\n"


def write_stamp(place: str, stamp: dict[str, t.Any]) -> None:
    """Write down what was installed, on one line: it is read in one round trip."""
    write_atomic(place + STAMP, json.dumps(stamp, sort_keys=True) + "\n")


def renew_uuid(root: Grown, *, old: str, programs: Programs) -> str:
    """Give the root file system a UUID of its own: two disks with copies of one image must never be mixed up.

    Done while it is not mounted. C(old) is the UUID of the image; returns the new one.
    """
    if not old:
        return ""
    new = programs.run(["uuidgen"]).stdout.strip()
    programs.run(["tune2fs", "-U", new, root.path], stdin="y\n")
    return new


def replace_in_files(place: str, files: t.Sequence[str], *, old: str, new: str) -> None:
    """Replace a UUID in files of the installed system."""
    for name in files if old else ():
        path = place + name
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        if old in text:
            write_atomic(path, text.replace(old, new), mode=os.stat(path).st_mode & 0o7777)
