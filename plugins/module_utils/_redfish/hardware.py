# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory of a system over Redfish: the sections, and those that stand in a few documents of their own."""

from __future__ import annotations

from typing import Any, Optional

from .._bmc.interface import Driver, Hardware, Json
from .._domain.inventory import row, totals
from .._domain.units import (
    boolean, gib, health, identifier, integer, mac, mib, positive, snake, text, uuid,
)
from .boot import DEVICES, ENABLE, FIRMWARE_MODES, MODE, PERSISTENCES, TARGET
from .client import dig, link_of
from .fields import NAMED, PART, STATUS, power_state
from .hardware_network import read_network
from .hardware_pcie import read_gpus, read_pcie
from .hardware_storage import read_controllers, read_disks, read_volumes
from .reading import Reader, absent, extract, first, link_to, read_sections, values_at

SYSTEM = {
    **NAMED, **PART, **STATUS, "sku": (text, "SKU"), "asset_tag": (text, "AssetTag"), "uuid": (uuid, "UUID"),
    "bios_version": (text, "BiosVersion"), "hostname": (text, "HostName"),
    "memory_bytes": (gib, "MemorySummary/TotalSystemMemoryGiB", "Memory/TotalSystemMemoryGB"),
    "health": (health, "Status/HealthRollup", "Status/Health"),
}
SUMMARY = {"processor_count": (positive, "ProcessorSummary/Count"),
           "core_count": (positive, "ProcessorSummary/CoreCount"),
           "thread_count": (positive, "ProcessorSummary/LogicalProcessorCount")}
BMC = {**NAMED, **STATUS, "manufacturer": (text, "Manufacturer"), "model": (text, "Model"),
       "firmware_version": (text, "FirmwareVersion"), "uuid": (uuid, "UUID", "ServiceEntryPointUUID")}
PROCESSOR = {
    **NAMED, **PART, **STATUS, "socket": (text, "Socket", "Location/PartLocation/ServiceLabel"),
    "architecture": (snake, "ProcessorArchitecture", "InstructionSet"), "type": (snake, "ProcessorType"),
    "core_count": (positive, "TotalCores"), "thread_count": (positive, "TotalThreads"),
    "max_speed_mhz": (positive, "MaxSpeedMHz")}
MEMORY = {
    **PART, **STATUS, "id": (identifier, "Id"),
    "slot": (text, "DeviceLocator", "Location/PartLocation/ServiceLabel", "SocketLocator", "Name"),
    "type": (text, "MemoryDeviceType", "DIMMType", "MemoryType"),
    "size_bytes": (mib, "CapacityMiB", "SizeMB"), "ranks": (positive, "RankCount", "Rank"),
    "speed_mhz": (positive, "OperatingSpeedMhz", "OperatingSpeedMHz", "AllowedSpeedsMHz/0", "MaximumFrequencyMHz"),
    "ecc": (snake, "ErrorCorrection"), "socket": (identifier, "MemoryLocation/Socket")}
FIRMWARE = {**NAMED, "version": (text, "Version", "VersionString"), "updateable": (boolean, "Updateable"),
            "manufacturer": (text, "Manufacturer"), "state": (snake, "Status/State")}
CPU_TYPES = ("cpu", None)


def is_cpu(document: Json) -> bool:
    """Tell whether a processor is a CPU in its socket: no GPU, no core or thread of one, no empty socket."""
    return snake(document.get("ProcessorType")) in CPU_TYPES and not absent(document)


def read_processors(reader: Reader) -> list[Json]:
    """Return the CPUs."""
    return [row("processors", **extract(document, PROCESSOR))
            for _link, document in reader.members(link_to(reader.system, "Processors")) if is_cpu(document)]


def read_system(reader: Reader) -> Optional[Json]:
    """Return the system itself; sockets, cores and threads are those of its CPUs, else of the BMC's own summary.

    Memory is that of the summary, else of the modules.
    """
    system = reader.system
    if not system:
        return None
    counts = dict(zip(SUMMARY, totals(read_processors(reader))))
    summary = extract(system, SUMMARY)
    if counts["processor_count"] is None:
        counts = summary
    found = row("system", **extract(system, SYSTEM), boot=_boot(system), power_state=power_state(system),
                **{key: value if value is not None else summary[key] for key, value in counts.items()})
    if found["memory_bytes"] is None:
        found["memory_bytes"] = sum(entry["size_bytes"] or 0 for entry in read_memory(reader)) or None
    return found


def _boot(system: Json) -> Json:
    """Return the boot override and the order of boot, in neutral words."""
    boot = system.get("Boot")

    def word(table: dict[str, Any], key: str) -> Optional[str]:
        value = dig(boot, key)
        return table[value].value if isinstance(value, str) and value in table else None

    order = [entry for value in values_at(boot, "BootOrder/*") for entry in (text(value),) if entry]
    return {"device": word(DEVICES, TARGET), "persistence": word(PERSISTENCES, ENABLE),
            "firmware_mode": word(FIRMWARE_MODES, MODE), "order": order}


def read_bmc(reader: Reader) -> Optional[Json]:
    """Return the BMC itself, with the addresses of its interfaces."""
    _link, manager = reader.manager()
    if not manager:
        return None
    interfaces = [document for _unused, document in reader.members(link_of(manager.get("EthernetInterfaces")))]
    macs = [first(interface, mac, "MACAddress", "PermanentMACAddress") for interface in interfaces]
    addresses = [text(value) for interface in interfaces for key in ("IPv4Addresses", "IPv6Addresses")
                 for value in values_at(interface, f"{key}/*/Address")]
    known = [address for address in addresses if address and address not in ("::", "0.0.0.0", "::1", "127.0.0.1")]
    return row("bmc", **extract(manager, BMC), redfish_version=text(reader.driver.root.get("RedfishVersion")),
               hostname=next((name for name in (text(entry.get("HostName")) for entry in interfaces) if name), None),
               mac_addresses=list(dict.fromkeys(filter(None, macs))), ip_addresses=list(dict.fromkeys(known)))


def read_memory(reader: Reader) -> list[Json]:
    """Return the modules that are there; empty slots are left out."""
    rows = []
    for _link, document in reader.members(link_to(reader.system, "Memory")):
        entry = row("memory", **extract(document, MEMORY))
        told = integer(document.get("CapacityMiB", document.get("SizeMB")))
        if absent(document) or document.get("DIMMStatus") == "NotPresent" or told == 0:
            continue
        if entry["size_bytes"] is None and entry["part_number"] is None and entry["serial_number"] is None:
            continue
        rows.append(entry)
    return rows


def read_firmware(reader: Reader) -> list[Json]:
    """Return the components whose firmware the BMC lists."""
    service = reader.document(link_of(reader.driver.root.get("UpdateService")))
    found = [document for _link, document in reader.members(link_of(service.get("FirmwareInventory")))]
    older = link_to(reader.system, "FirmwareInventory") if not found else None
    found += [entry for entry in values_at(reader.document(older), "Current/*/*") if isinstance(entry, dict)]
    return [row("firmware", **extract(document, FIRMWARE)) for document in found]


SECTIONS = {
    "system": read_system, "bmc": read_bmc, "processors": read_processors, "memory": read_memory,
    "network_interfaces": read_network, "storage_controllers": read_controllers, "disks": read_disks,
    "volumes": read_volumes, "pcie_devices": read_pcie, "gpus": read_gpus, "firmware": read_firmware}


class RedfishHardware(Hardware):
    """The inventory, section by section; each document is read once, whatever sections it serves."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def read(self, sections: tuple[str, ...]) -> tuple[Json, list[Json]]:
        """Return the sections asked for and the problems met."""
        return read_sections(Reader(self._driver), sections, SECTIONS)
