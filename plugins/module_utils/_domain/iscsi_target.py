# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An iSCSI target as the kernel's LIO has it in configfs, so that targetcli shows and saves it like its own.

Paths are below /sys/kernel/config/target (Documentation/target in the kernel's sources, rtslib).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ansible_collections.typeone.metal.plugins.module_utils._domain.configfs import Entry, Kind, group, link, value
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage import Initiator, StorageDisk, Target, digest_of

ROOT = "/sys/kernel/config/target"
FOLDERS = ("/etc/target/pr", "/etc/target/alua")
"""Where LIO itself keeps persistent reservations and path states; it looks for the first part when it is loaded."""
SAVED = ("/etc/rtslib-fb-target", "/etc/target")
"""Where targetctl saves all targets of a host: on Debian and Ubuntu, and on the Red Hat family."""
MODULES = ("iscsi_target_mod", "target_core_file", "target_core_iblock")
SECRETS = ("userid", "password", "userid_mutual", "password_mutual")
_UNSET = "NULL"  # how LIO is told to forget a name or secret


def wwn(target: Target, number: int) -> str:
    """The identifier that initiators see (NAA 6, LIO's company id, the start of the serial): its name in by-id."""
    return f"6001405{target.identity(number).hex[:25]}"


def store_name(target: Target, number: int) -> str:
    """The name of a disk's backstore."""
    return f"{target.short}-lun{number}"


def store_path(target: Target, disk: StorageDisk, known: Collection[str] = ()) -> str:
    """Where a disk's backstore is: one of the known ones, should targetctl have restored it under its own number."""
    name = store_name(target, disk.number)
    plugin = "iblock" if disk.size is None else "fileio"
    own = f"core/{plugin}_{100000 + digest_of(name) % 900000}/{name}"
    others = [path for path in known if path.startswith(f"core/{plugin}_") and path.endswith(f"/{name}")]
    return own if own in others or not others else others[0]


def patterns(target: Target) -> list[tuple[Kind, str]]:
    """Where objects of this target are, in the order in which they are made; * stands for one name."""
    base = f"iscsi/{target.name}"
    tpg = f"{base}/tpgt_*"
    return [
        (Kind.GROUP, f"core/*_*/{target.short}-lun*/.."),
        (Kind.GROUP, f"core/*_*/{target.short}-lun*"),
        (Kind.GROUP, base),
        (Kind.GROUP, tpg),
        (Kind.GROUP, f"{tpg}/lun/lun_*"),
        (Kind.LINK, f"{tpg}/lun/lun_*/*"),
        (Kind.GROUP, f"{tpg}/acls/*"),
        (Kind.GROUP, f"{tpg}/acls/*/lun_*"),
        (Kind.LINK, f"{tpg}/acls/*/lun_*/*"),
        (Kind.GROUP, f"{tpg}/np/*"),
    ]


def _store_entries(target: Target, disk: StorageDisk, store: str) -> Iterator[Entry]:
    yield group(store.rpartition("/")[0])
    yield group(store)
    control = f"udev_path={disk.path}" if disk.size is None else f"fd_dev_name={disk.path},fd_dev_size={disk.size}"
    yield value(f"{store}/control", control + (",readonly=1" if disk.read_only and disk.size is None else ""), once=True)
    yield value(f"{store}/udev_path", disk.path, fixed=True)
    yield value(f"{store}/enable", "1")
    yield value(f"{store}/wwn/vpd_unit_serial", target.identity(disk.number), once=True)


def _access_entries(target: Target, initiator: Initiator) -> Iterator[Entry]:
    tpg = f"iscsi/{target.name}/tpgt_1"
    acl = f"{tpg}/acls/{initiator.name}"
    yield group(acl)
    texts = (initiator.username, initiator.password, initiator.mutual_username, initiator.mutual_password)
    for name, text in zip(SECRETS, texts):
        yield value(f"{acl}/auth/{name}", text, secret=name.startswith("password"), blank=_UNSET)
    for disk in target.disks:
        yield group(f"{acl}/lun_{disk.number}")
        yield link(f"{acl}/lun_{disk.number}/lun", f"{tpg}/lun/lun_{disk.number}")
        yield value(f"{acl}/lun_{disk.number}/write_protect", int(disk.read_only))


def entries(target: Target, known: Collection[str] = ()) -> list[Entry]:
    """All that the target needs, in the order in which the kernel takes it; nothing for an absent one.

    `known` are paths of backstores that are there.
    """
    if not target.present:
        return []
    tpg = f"iscsi/{target.name}/tpgt_1"
    stores = {disk.number: store_path(target, disk, known) for disk in target.disks}
    found = [entry for disk in target.disks for entry in _store_entries(target, disk, stores[disk.number])]
    found += [group("iscsi"), group(f"iscsi/{target.name}"), group(tpg)]
    secured = any(initiator.password for initiator in target.initiators)
    found += [value(f"{tpg}/attrib/authentication", int(secured)), value(f"{tpg}/attrib/generate_node_acls", 0)]
    for disk in target.disks:
        lun = f"{tpg}/lun/lun_{disk.number}"
        found += [group(lun), link(f"{lun}/{store_name(target, disk.number)}", stores[disk.number])]
    found += [entry for initiator in target.initiators for entry in _access_entries(target, initiator)]
    found.append(value(f"{tpg}/enable", "1"))
    found += [group(f"{tpg}/np/{portal}") for portal in target.portals]
    return found
