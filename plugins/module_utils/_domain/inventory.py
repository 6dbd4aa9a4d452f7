# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of an inventory and of a state of health, whatever the protocol; and what follows from its rows alone.

Every row of a section has all the keys of :data:`KEYS`, ``None`` where a BMC does not tell. Units: bytes, MHz, Mb/s,
watts, degrees Celsius, revolutions a minute. Serials and models as printed, MACs and UUIDs in lower case.
"""

from __future__ import annotations

import re
from typing import Any, Iterable, Optional

from .units import mac, text

Json = dict[str, Any]
_PART = ("manufacturer", "model", "part_number", "serial_number")
_STATE = ("health", "state")
_LIMITS = ("lower_critical", "lower_warning", "upper_warning", "upper_critical", "upper_fatal")

KEYS: dict[str, tuple[str, ...]] = {
    "system": ("id", "name", "manufacturer", "model", "sku", "part_number", "serial_number", "asset_tag", "uuid",
               "bios_version", "hostname", "power_state", "memory_bytes", "processor_count", "core_count",
               "thread_count", "boot", *_STATE),
    "bmc": ("id", "name", "manufacturer", "model", "firmware_version", "redfish_version", "uuid", "hostname",
            "mac_addresses", "ip_addresses", *_STATE),
    "processors": ("id", "name", "socket", *_PART, "architecture", "type", "core_count", "thread_count",
                   "max_speed_mhz", *_STATE),
    "memory": ("id", "slot", *_PART, "type", "size_bytes", "speed_mhz", "ranks", "ecc", "socket", *_STATE),
    "network_interfaces": ("id", "name", "mac_address", "permanent_mac_address", "link", "speed_mbps",
                           "max_speed_mbps", "adapter", "port", "manufacturer", "model", "firmware_version", "slot",
                           "socket", "pci_path", "to_bmc", "lldp", *_STATE),
    "storage_controllers": ("id", "name", *_PART, "firmware_version", "protocols", "raid_levels", "cache_bytes",
                            "slot", *_STATE),
    "disks": ("id", "name", *_PART, "wwn", "media_type", "protocol", "size_bytes", "block_bytes", "firmware_version",
              "rotation_rpm", "life_left_percent", "failure_predicted", "erasable", "encryption", "controller",
              "slot", *_STATE),
    "volumes": ("id", "name", "raid_level", "size_bytes", "wwn", "controller", "drives", "bootable", *_STATE),
    "pcie_devices": ("id", "name", *_PART, "firmware_version", "class", "slot", "socket", "lanes", "generation",
                     "functions", *_STATE),
    "gpus": ("id", "name", *_PART, "firmware_version", "type", "memory_bytes", "slot", "socket", "pcie_device",
             *_STATE),
    "firmware": ("id", "name", "version", "updateable", "manufacturer", "state"),
    "temperatures": ("name", "reading_celsius", *_LIMITS, "context", "chassis", *_STATE),
    "fans": ("name", "reading_rpm", "reading_percent", *_LIMITS, "context", "chassis", *_STATE),
    "power_supplies": ("name", *_PART, "firmware_version", "type", "capacity_watts", "input_watts", "output_watts",
                       "input_volts", "chassis", *_STATE),
    "redundancy": ("kind", "name", "mode", "members", "min_needed", "max_supported", "chassis", *_STATE),
    "log_summary": ("log", "total", "read", "ok", "warning", "critical", "unknown", "newest"),
    "summary": ("health", "system", "processors", "memory", "storage", "bmc", "chassis", "power_state",
                "power_watts", "intrusion"),
}
LLDP_KEYS = ("chassis_id", "port_id", "system_name", "system_description", "management_address", "vlan")
PCI_FUNCTION_KEYS = ("id", "class", "vendor_id", "device_id", "subsystem_vendor_id", "subsystem_id", "pci_address")
SINGLE = ("system", "bmc", "summary", "log_summary")

# Volume types of older services, and names of RAID levels in the field, by the level's plain name.
RAID_LEVELS = {"rawdevice": None, "nonredundant": "raid0", "mirrored": "raid1", "stripedwithparity": "raid5",
               "spannedmirrors": "raid10", "spannedstripeswithparity": "raid50", "none": "none", "jbod": "none",
               "raid10triple": "raid10_triple", "raid1triple": "raid1_triple"}
# Display chips that BMCs carry themselves (Matrox, ASPEED): never a GPU.
DISPLAYS_OF_BMCS = frozenset({"0x102b", "0x1a03", "0x18ca"})
NAMES_OF_BMC_DISPLAYS = ("matrox", "aspeed", "ast2", "ast1", "embedded video", "pilot")
# Base classes of PCI (PCI Code and ID Assignment Specification), in the words of Redfish.
PCI_CLASSES = {1: "mass_storage_controller", 2: "network_controller", 3: "display_controller",
               4: "multimedia_controller", 5: "memory_controller", 6: "bridge", 7: "communication_controller",
               8: "generic_system_peripheral", 11: "processor", 12: "serial_bus_controller",
               16: "encryption_controller", 18: "processing_accelerators"}
ACCELERATOR_CLASSES = frozenset({"display_controller", "processing_accelerators", "processing_accelerator"})


def row(section: str, **known: Any) -> Json:
    """Return a row of a section with all its keys; unknown names are a mistake of ours."""
    keys = KEYS[section]
    surplus = set(known) - set(keys)
    if surplus:
        raise KeyError(f"{section}: {sorted(surplus)}")
    return {key: known.get(key) for key in keys}


def fill(target: Json, source: Json, *, keys: Optional[Iterable[str]] = None) -> None:
    """Give ``target`` what it does not know yet."""
    for key in keys if keys is not None else target:
        if target.get(key) is None and source.get(key) is not None:
            target[key] = source[key]


def raid_level(value: Any) -> Optional[str]:
    """Return a RAID level as ``raid1``, ``raid10``, ``none``...; ``None`` where there is none to tell."""
    plain = text(value) if not isinstance(value, int) or isinstance(value, bool) else str(value)
    if plain is None:
        return "none" if isinstance(value, str) and value.strip().lower() == "none" else None
    word = re.sub(r"[^a-z0-9]", "", plain.lower())
    if word in RAID_LEVELS:
        return RAID_LEVELS[word]
    if word.isdigit():
        return f"raid{word}"
    return word if re.fullmatch(r"raid\d+[a-z]*", word) else None


def media_type(media: Any, protocol: Any, *, rotation: Optional[int] = None) -> Optional[str]:
    """Return ``nvme``, ``ssd`` or ``hdd``; a drive that turns is no SSD, whatever the BMC calls it."""
    words = (media or "").lower() if isinstance(media, str) else ""
    line = (protocol or "").lower() if isinstance(protocol, str) else ""
    if "nvme" in line or "nvme" in words:
        return "nvme"
    if rotation and rotation > 1:
        return "hdd"
    if "ssd" in words or "solid" in words:
        return "nvme" if line == "pcie" else "ssd"
    if "hdd" in words or words in ("rotational", "magnetic"):
        return "hdd"
    return None


def is_display_of_bmc(*names: Any) -> bool:
    """Tell whether a display is the one that a BMC itself carries, by what it is called."""
    return any(word in name.lower() for name in names if isinstance(name, str) for word in NAMES_OF_BMC_DISPLAYS)


def lldp_text(value: Any, subtype: Any = None) -> Optional[str]:
    """Return a field of a neighbour's announcement. BMCs give names as pairs of hexadecimal digits (IEEE 802.1AB)."""
    plain = text(value)
    if plain is None or subtype == "NotTransmitted" or plain.lower() in ("no link", "not transmitted"):
        return None
    if subtype in ("MacAddr", "MACAddress"):
        return mac(plain) or plain
    if subtype not in (None, "NetworkAddr") and re.fullmatch(r"([0-9A-Fa-f]{2}:)+[0-9A-Fa-f]{2}", plain):
        letters = bytes.fromhex(plain.replace(":", "")).rstrip(b"\0")
        if letters and all(32 <= letter < 127 for letter in letters):
            return letters.decode("ascii")
    return mac(plain) or plain


def neighbour(**known: Any) -> Optional[Json]:
    """Return an LLDP neighbour, ``None`` where neither its chassis, its port nor its name is known."""
    found = {key: known.get(key) for key in LLDP_KEYS}
    return found if any(found[key] is not None for key in LLDP_KEYS[:3]) else None


def totals(processors: Iterable[Json]) -> tuple[Optional[int], Optional[int], Optional[int]]:
    """Return sockets, cores and threads of the CPUs; a number that one CPU does not tell is not known in sum."""
    cpus = list(processors)
    if not cpus:
        return None, None, None
    sums = []
    for key in ("core_count", "thread_count"):
        values = [cpu[key] for cpu in cpus]
        sums.append(sum(values) if all(value is not None for value in values) else None)
    return len(cpus), sums[0], sums[1]
