# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI functions of older services, which list them in an OEM collection with numbers for everything.

Of a service that has the standard's devices as well, they tell the slots that those leave out.
"""

from __future__ import annotations

from typing import Any, Optional

from .._domain.inventory import PCI_CLASSES, PCI_FUNCTION_KEYS, row
from .._domain.units import identifier, integer, pci_id, text
from .client import Json
from .reading import Reader, extract, link_to

FUNCTION = {"id": (identifier, "Id"), "vendor_id": (pci_id, "VendorID"), "device_id": (pci_id, "DeviceID"),
            "subsystem_vendor_id": (pci_id, "SubsystemVendorID"), "subsystem_id": (pci_id, "SubsystemDeviceID"),
            "class": (lambda code: PCI_CLASSES.get(integer(code)), "ClassCode")}
DEVICE = {"id": (identifier, "Id"), "name": (text, "Name"), "slot": (text, "DeviceLocation", "LocationString")}
ADDRESS = ("SegmentNumber", "BusNumber", "DeviceNumber", "FunctionNumber")


def _functions(reader: Reader) -> list[Json]:
    return [document for _link, document in reader.members(link_to(reader.system, "PCIDevices"))]


def older_devices(reader: Reader) -> list[Json]:
    """Return a row for each function: older services know no devices."""
    rows = []
    for document in _functions(reader):
        function = {**dict.fromkeys(PCI_FUNCTION_KEYS), **extract(document, FUNCTION),
                    "pci_address": _address(document)}
        rows.append(row("pcie_devices", **extract(document, DEVICE), functions=[function],
                        **{"class": function["class"]}))
    return rows


def slots_by_name(reader: Reader) -> dict[str, str]:
    """Return the slots of devices by their names, of names that one device has."""
    found: dict[str, set] = {}
    for document in _functions(reader):
        known = extract(document, DEVICE)
        if known["name"] and known["slot"]:
            found.setdefault(known["name"], set()).add(known["slot"])
    return {name: slots.pop() for name, slots in found.items() if len(slots) == 1}


def _address(document: Json) -> Optional[str]:
    """Return the address of a function as Linux writes it."""
    numbers: list[Any] = [integer(document.get(key)) for key in ADDRESS]
    if None in numbers[1:] or numbers[1] > 255 or numbers[2] > 31 or numbers[3] > 7:
        return None
    return f"{numbers[0] or 0:04x}:{numbers[1]:02x}:{numbers[2]:02x}.{numbers[3]}"
