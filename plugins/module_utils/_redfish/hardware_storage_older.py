# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage of older services, which hold controllers, drives and volumes in an OEM tree; read only where no other tells.

The tree hangs on the system as ``SmartStorage``: array controllers with links to physical and logical drives.
"""

from __future__ import annotations

from typing import Iterator

from .._domain.inventory import media_type, raid_level, row
from .._domain.units import boolean, identifier, mib, positive, snake, text, wwn
from .client import Json
from .fields import STATUS
from .reading import Pair, Reader, absent, extract, first, link_to

VERSION = (text, "FirmwareVersion/Current/VersionString")
CONTROLLER = {**STATUS, "id": (identifier, "Id"), "name": (text, "Name"), "model": (text, "Model"),
              "serial_number": (text, "SerialNumber"), "part_number": (text, "ControllerPartNumber"),
              "firmware_version": VERSION, "cache_bytes": (mib, "CacheMemorySizeMiB"), "slot": (text, "Location")}
DRIVE = {**STATUS, "id": (identifier, "Id"), "name": (text, "Name"), "model": (text, "Model"),
         "serial_number": (text, "SerialNumber"), "firmware_version": VERSION, "slot": (text, "Location"),
         "protocol": (snake, "InterfaceType"), "block_bytes": (positive, "BlockSizeBytes"),
         "rotation_rpm": (positive, "RotationalSpeedRpm"), "encryption": (boolean, "EncryptedDrive")}
VOLUME = {**STATUS, "id": (identifier, "Id"), "name": (text, "LogicalDriveName"), "raid_level": (raid_level, "Raid"),
          "size_bytes": (mib, "CapacityMiB"), "wwn": (wwn, "VolumeUniqueIdentifier")}


def _controllers(reader: Reader) -> list[Pair]:
    """Return the array controllers and host bus adapters."""
    tree = reader.document(link_to(reader.system, "SmartStorage"))
    return reader.members(*(link_to(tree, name) for name in ("ArrayControllers", "HostBusAdapters")))


def older_controllers(reader: Reader) -> list[Json]:
    """Return the controllers."""
    return [row("storage_controllers", **extract(document, CONTROLLER), protocols=[], raid_levels=[])
            for _link, document in _controllers(reader)]


def older_disks(reader: Reader) -> list[Json]:
    """Return the disks; the size is exact where blocks are counted."""
    rows = []
    for controller, document in _below(reader, "PhysicalDrives", "UnconfiguredDrives"):
        if absent(document):
            continue
        known = extract(document, DRIVE)
        blocks = positive(document.get("CapacityLogicalBlocks"))
        known["encryption"] = None if known["encryption"] is None else (
            "encrypted" if known["encryption"] else "unencrypted")
        rows.append(row("disks", **known, controller=controller, size_bytes=(
            blocks * known["block_bytes"] if blocks and known["block_bytes"] else first(document, mib, "CapacityMiB")),
            media_type=media_type(document.get("MediaType"), document.get("InterfaceType"),
                                  rotation=known["rotation_rpm"])))
    return rows


def older_volumes(reader: Reader) -> list[Json]:
    """Return the volumes."""
    rows = []
    for controller, document in _below(reader, "LogicalDrives"):
        drives = reader.members(link_to(document, "DataDrives"))
        named = [first(drive, text, "SerialNumber") or identifier(drive.get("Id")) for _link, drive in drives]
        rows.append(row("volumes", **extract(document, VOLUME), controller=controller,
                        drives=list(filter(None, named))))
    return rows


def _below(reader: Reader, *names: str) -> Iterator[tuple[str, Json]]:
    """Yield the id of a controller and a member of the collections that it links to, each member once."""
    for _link, controller in _controllers(reader):
        members = dict(reader.members(*(link_to(controller, name) for name in names)))
        for document in members.values():
            yield identifier(controller.get("Id")), document
