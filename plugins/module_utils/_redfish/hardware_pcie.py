# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCIe devices and GPUs over Redfish, with their slots and the sockets that they belong to."""

from __future__ import annotations

from typing import Iterator, Optional

from .._domain.inventory import (
    ACCELERATOR_CLASSES, DISPLAYS_OF_BMCS, PCI_FUNCTION_KEYS, fill, is_display_of_bmc, row,
)
from .._domain.units import identifier, mib, pci_id, positive, snake, text
from .client import Json, link_of
from .fields import NAMED, PART, STATUS, slot_of
from .hardware_pcie_older import older_devices, slots_by_name
from .locality import slots, socket_of
from .reading import Pair, Reader, absent, extract, last_part, links_at, values_at

DEVICE = {**NAMED, **PART, **STATUS, "firmware_version": (text, "FirmwareVersion"),
          "lanes": (positive, "PCIeInterface/LanesInUse", "PCIeInterface/MaxLanes"),
          "generation": (text, "PCIeInterface/PCIeType", "PCIeInterface/MaxPCIeType")}
FUNCTION = {"id": (identifier, "Id"), "class": (snake, "DeviceClass"), "vendor_id": (pci_id, "VendorId"),
            "device_id": (pci_id, "DeviceId"), "subsystem_vendor_id": (pci_id, "SubsystemVendorId"),
            "subsystem_id": (pci_id, "SubsystemId")}
GPU = {**NAMED, **PART, **STATUS, "firmware_version": (text, "FirmwareVersion"), "type": (snake, "ProcessorType")}
GPU_MEMORY = ("MemorySummary/TotalMemorySizeMiB", "Oem/*/MemorySizeMiB")
GPU_TYPES = ("gpu",)
FUNCTIONS = ("PCIeFunctions", "Links/PCIeFunctions")


def devices(reader: Reader) -> list[Pair]:
    """Return the PCIe devices with their links: those that the system lists, then those of its chassis.

    A service may show one device under the system and under its chassis: it is the same by the last part of its link.
    """
    named = links_at(reader.system, "PCIeDevices")
    direct = [link for link in named if isinstance(reader.system.get("PCIeDevices"), list)]
    collections = [link for link in named if link not in direct]
    links = direct + reader.links_of(collections)
    known = {link.rstrip("/") for link in links}
    elsewhere = {last_part(link) for link in links}
    for _link, chassis in reader.chassis():
        below = reader.links_of(links_at(chassis, "PCIeDevices")) + links_at(chassis, "Links/PCIeDevices")
        fresh = [link for link in below if link.rstrip("/") not in known and last_part(link) not in elsewhere]
        links += fresh
        known.update(link.rstrip("/") for link in fresh)
    return [(link, document) for link, document in reader.documents(links) if not absent(document)]


def read_pcie(reader: Reader) -> list[Json]:
    """Return the PCIe devices."""
    places = slots(reader)
    rows = []
    for link, document in devices(reader):
        functions = _functions(reader, document)
        slot = places.get(last_part(link), {})
        rows.append(row("pcie_devices", **extract(document, DEVICE), functions=functions,
                        **{"class": next((entry["class"] for entry in functions if entry["class"]), None)},
                        slot=slot_of(document) or slot_of(slot), socket=socket_of(reader, document, slot)))
    if not rows:
        return older_devices(reader)
    _learn_slots(reader, rows)
    return rows


def _learn_slots(reader: Reader, rows: list[Json]) -> None:
    """Give rows the slot that an older collection tells, where no row has one."""
    if any(entry["slot"] for entry in rows):
        return
    named = slots_by_name(reader)
    for entry in rows:
        entry["slot"] = named.get(entry["name"])


def _functions(reader: Reader, device: Json) -> list[Json]:
    """Return the functions of a device, in the shape of a row."""
    pairs: list[Pair] = []
    for path in FUNCTIONS:
        pairs = pairs or reader.collections_at(device, path)
    return [dict.fromkeys(PCI_FUNCTION_KEYS) | extract(document, FUNCTION) for _link, document in pairs]


def read_gpus(reader: Reader) -> list[Json]:
    """Return the GPUs: those among the processors, those that the system calls graphics controllers, and PCIe devices
    that show a display or an accelerator; displays of BMCs are none."""
    places = slots(reader)
    pairs = {last_part(link): document for link, document in devices(reader)}
    found: list[Json] = []
    for document in _named(reader):
        link = next((last_part(link) for link in links_at(document, "Links/PCIeDevice")), None)
        link = link or _by_serial(pairs, document)
        if link is None or not _of_bmc(_functions(reader, pairs.get(link, {}))):
            found.append(_gpu(reader, document, link, pairs.get(link, {}), places.get(link, {})))
    taken = {entry["pcie_device"] for entry in found}
    for link, device in pairs.items():
        functions = _functions(reader, device)
        accelerates = any(entry["class"] in ACCELERATOR_CLASSES for entry in functions)
        if link not in taken and accelerates and not _of_bmc(functions):
            found.append(_gpu(reader, device, link, device, places.get(link, {})))
    _learn_slots(reader, found)
    return found


def _named(reader: Reader) -> Iterator[Json]:
    """Yield the documents that call themselves GPUs."""
    for _link, document in reader.members(link_of(reader.system.get("Processors"))):
        if snake(document.get("ProcessorType")) in GPU_TYPES and not absent(document):
            yield document
    for _link, document in reader.members(link_of(reader.system.get("GraphicsControllers"))):
        if not absent(document) and not is_display_of_bmc(document.get("Manufacturer"), document.get("Name"),
                                                          document.get("Model")):
            yield document


def _by_serial(devices_by_name: dict[str, Json], document: Json) -> Optional[str]:
    """Return the one device of the same serial number."""
    serial = text(document.get("SerialNumber"))
    same = [name for name, device in devices_by_name.items() if serial and text(device.get("SerialNumber")) == serial]
    return same[0] if len(same) == 1 else None


def _of_bmc(functions: list[Json]) -> bool:
    """Tell whether a device is the display that the BMC itself carries."""
    return any(entry["vendor_id"] in DISPLAYS_OF_BMCS for entry in functions)


def _gpu(reader: Reader, document: Json, link: Optional[str], device: Json, slot: Json) -> Json:
    """Return the row of a GPU, with what its PCIe device knows better."""
    entry = row("gpus", **extract(document, GPU), memory_bytes=_memory(document),
                slot=slot_of(document) or slot_of(device) or slot_of(slot),
                socket=socket_of(reader, document, device, slot),
                pcie_device=identifier(device.get("Id")) if device else link)
    fill(entry, extract(device, DEVICE), keys=(*PART, "firmware_version", "health", "state"))
    entry["type"] = entry["type"] or "gpu"
    return entry


def _memory(document: Json) -> Optional[int]:
    """Return the memory of a GPU: in sum, else that of its own memory without caches."""
    for path in GPU_MEMORY:
        for value in values_at(document, path):
            if mib(value):
                return mib(value)
    sizes = [mib(entry.get("CapacityMiB")) for entry in values_at(document, "ProcessorMemory/*")
             if isinstance(entry, dict) and "cache" not in str(entry.get("MemoryType")).lower()]
    return sum(filter(None, sizes)) or None
