# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage controllers, disks and volumes over Redfish: of Storage, of chassis, at last of SimpleStorage."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Optional

from .._domain.inventory import fill, media_type, raid_level, row
from .._domain.units import boolean, identifier, mib, positive, snake, text, wwn
from .client import Json, link_of
from .fields import NAMED, PART, STATUS, slot_of
from .hardware_storage_older import older_controllers, older_disks, older_volumes
from .reading import Pair, Reader, absent, extract, first, links_at, values_at

CONTROLLER = {
    **NAMED, **PART, **STATUS, "firmware_version": (text, "FirmwareVersion", "FirmwarePackageVersion"),
    "cache_bytes": (mib, "CacheSummary/TotalCacheSizeMiB", "Oem/*/MemorySizeMiB")}
DRIVE = {
    **NAMED, **PART, **STATUS, "firmware_version": (text, "FirmwareVersion", "Revision"),
    "protocol": (snake, "Protocol"), "block_bytes": (positive, "BlockSizeBytes"),
    "rotation_rpm": (positive, "RotationSpeedRPM"), "failure_predicted": (boolean, "FailurePredicted"),
    "encryption": (snake, "EncryptionStatus", "EncryptionAbility"), "size_bytes": (positive, "CapacityBytes")}
SIMPLE = {**NAMED, **PART, **STATUS, "size_bytes": (positive, "CapacityBytes")}
VOLUME = {**NAMED, **STATUS, "size_bytes": (positive, "CapacityBytes", "Capacity/Data/AllocatedBytes"),
          "raid_level": (raid_level, "RAIDType", "Oem/*/VolumeRaidLevel", "VolumeType"),
          "bootable": (boolean, "Oem/*/BootEnable")}
# Names of a drive or volume that are no WWN, though they may look like one.
NO_WWN = ("UUID", "iQN", "NQN")
WWN_FORMATS = ("NAA", "EUI", "FC_WWN", "NGUID")


def storages(reader: Reader) -> list[Pair]:
    """Return the Storage resources of the system."""
    return reader.collections_at(reader.system, "Storage")


def read_controllers(reader: Reader) -> list[Json]:
    """Return the controllers; several behind one Storage have its id before their own."""
    rows = []
    for _link, storage in storages(reader):
        documents = [document for document in controllers_of(reader, storage) if not absent(document)]
        name = identifier(storage.get("Id"))
        for document in documents:
            entry = row("storage_controllers", **extract(document, CONTROLLER), slot=slot_of(document),
                        protocols=_words(document, snake, "SupportedDeviceProtocols/*"),
                        raid_levels=_words(document, raid_level, "SupportedRAIDTypes/*",
                                           "Oem/*/SupportedRAIDLevels/*"))
            entry["id"] = name if len(documents) == 1 or not entry["id"] else f"{name}/{entry['id']}"
            rows.append(entry)
    return rows or older_controllers(reader)


def controllers_of(reader: Reader, storage: Json) -> list[Json]:
    """Return the documents of a Storage's controllers, which older services hold in the Storage itself."""
    found = [document for _link, document in reader.members(link_of(storage.get("Controllers")))]
    return found or reader.objects(storage, "StorageControllers")


def _words(document: Json, convert: Any, *paths: str) -> list[str]:
    """Return the different words at paths, in neutral form."""
    return list(dict.fromkeys(word for path in paths for value in values_at(document, path)
                              for word in [convert(value)] if word))


def read_disks(reader: Reader) -> list[Json]:
    """Return the disks that are there: behind controllers, then in chassis; the plainest resource only as a last one."""
    found: dict[str, Json] = {}
    links: dict[str, str] = {}
    for _link, storage in storages(reader):
        for link in links_at(storage, "Drives", "Links/Drives"):
            links.setdefault(link.rstrip("/"), identifier(storage.get("Id")))
    for link in _chassis_drives(reader):
        links.setdefault(link.rstrip("/"), None)
    for link, document in reader.documents(links):
        if not _empty(document):
            _keep(found, link, _disk(reader, document, links[link]))
    return list(found.values()) or older_disks(reader) or _simple_disks(reader)


def _chassis_drives(reader: Reader) -> Iterator[str]:
    """Yield the links of the drives that the system's chassis hold."""
    for _link, chassis in reader.chassis():
        yield from links_at(chassis, "Links/Drives")
        collection = reader.document(link_of(chassis.get("Drives")))
        yield from reader.links_in(collection)


def _empty(document: Json) -> bool:
    """Tell whether a drive is an empty bay."""
    return absent(document) or not any(document.get(key) for key in (
        "SerialNumber", "Model", "CapacityBytes", "Manufacturer", "PartNumber", "MediaType"))


def _keep(found: dict[str, Json], link: str, disk: Json) -> None:
    """Keep a disk; one that stands in two collections is the same by serial number and model."""
    parent = link.rsplit("/", 1)[0]
    for other, known in found.items():
        if disk["serial_number"] and other.rsplit("/", 1)[0] != parent and (
                known["serial_number"], known["model"]) == (disk["serial_number"], disk["model"]):
            fill(known, disk)
            return
    found[link] = disk


def _disk(reader: Reader, document: Json, storage: Optional[str]) -> Json:
    """Return the row of a drive."""
    known = extract(document, DRIVE)
    return row("disks", **known, wwn=durable_name(document), slot=slot_of(document),
               controller=storage or _storage_of(reader, document),
               media_type=media_type(document.get("MediaType"), document.get("Protocol"),
                                     rotation=known["rotation_rpm"]),
               life_left_percent=_percent(document.get("PredictedMediaLifeLeftPercent")),
               erasable="#Drive.SecureErase" in actions if isinstance(
                   actions := document.get("Actions"), dict) else None)


def _storage_of(reader: Reader, document: Json) -> Optional[str]:
    """Return the id of the Storage that a drive itself names."""
    links = links_at(document, "Links/Storage")
    return identifier(reader.document(links[0]).get("Id")) if links else None


def _percent(value: Any) -> Optional[float]:
    """Return a percentage; zero is one, and worth knowing."""
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if number is None or not 0 <= number <= 100:
        return None
    return int(number) if number == int(number) else number


def durable_name(document: Json) -> Optional[str]:
    """Return the WWN among the identifiers of a drive or volume, a name of a kind that says so first."""
    named = [entry for entry in values_at(document, "Identifiers/*")
             if isinstance(entry, dict) and entry.get("DurableNameFormat") not in NO_WWN]
    for entry in sorted(named, key=lambda entry: entry.get("DurableNameFormat") not in WWN_FORMATS):
        if wwn(entry.get("DurableName")):
            return wwn(entry["DurableName"])
    return None


def _simple_disks(reader: Reader) -> list[Json]:
    """Return the devices of SimpleStorage, which has no serial numbers."""
    rows = []
    for _link, storage in reader.collections_at(reader.system, "SimpleStorage"):
        for device in values_at(storage, "Devices/*"):
            if isinstance(device, dict) and not absent(device):
                rows.append(row("disks", **extract(device, SIMPLE), controller=identifier(storage.get("Id"))))
    return rows


def read_volumes(reader: Reader) -> list[Json]:
    """Return the volumes; their drives by serial number, by id where that is not known."""
    rows = []
    for _link, storage in storages(reader):
        for _unused, document in reader.collections_at(storage, "Volumes"):
            rows.append(row("volumes", **extract(document, VOLUME), wwn=durable_name(document),
                            controller=identifier(storage.get("Id")),
                            drives=_serials(reader.documents(links_at(document, "Links/Drives")))))
    return rows or older_volumes(reader)


def _serials(pairs: Iterable[Pair]) -> list[str]:
    """Return what drives are known by."""
    named = (first(document, text, "SerialNumber") or identifier(document.get("Id")) for _link, document in pairs)
    return list(filter(None, named))
