# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network interfaces that standard resources do not tell of: what makers put elsewhere, read only where it is needed."""

from __future__ import annotations

import re
from typing import Iterator

from .._domain.inventory import fill, lldp_text, neighbour
from .._domain.units import identifier, mac, text
from .client import link_of
from .fields import slot_in, slot_of
from .interfaces import INTERFACE, Interfaces
from .reading import Reader, extract, link_to, values_at

ADAPTER = {"adapter": (identifier, "Id"), "manufacturer": (text, "Manufacturer"), "model": (text, "Model", "Name"),
           "firmware_version": (text, "Firmware/Current/VersionString")}
# The key in a manager's OEM links under which it lists the switch ports that its system's interfaces see.
SWITCH_CONNECTIONS = "SwitchConnectionCollection"
BIOS_MAC = re.compile(r"(?<!Virtual)(?<!Virtual_)MAC_?Address$", re.IGNORECASE)


def learn_from_older(reader: Reader, found: Interfaces) -> None:
    """Give the rows what is told elsewhere only: adapters, MACs, neighbours."""
    if any(entry["adapter"] is None for entry in found.rows) or not found.rows:
        _learn_adapters(reader, found)
    if not any(entry["mac_address"] and not entry["to_bmc"] for entry in found.rows):
        _learn_macs_of_bios(reader, found)
    if any(entry["lldp"] is None and entry["adapter"] for entry in found.rows):
        _learn_switch_ports(reader, found)


def _learn_adapters(reader: Reader, found: Interfaces) -> None:
    """Learn from adapters whose ports stand in the adapter itself."""
    for _link, adapter in reader.members(link_to(reader.system, "NetworkAdapters")):
        about = dict(extract(adapter, ADAPTER), slot=slot_of(adapter))
        for port in values_at(adapter, "PhysicalPorts/*"):
            known = dict(extract(port, INTERFACE), **about, to_bmc=False)
            if known["mac_address"] is not None:
                found.learn(known)


def _learn_macs_of_bios(reader: Reader, found: Interfaces) -> None:
    """Learn the MACs that the BIOS shows as attributes of its adapters: of some BMCs all that is to be had."""
    attributes = reader.document(link_of(reader.system.get("Bios"))).get("Attributes")
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        if BIOS_MAC.search(name) and mac(value):
            found.learn({"id": mac(value), "name": name[:64], "mac_address": mac(value), "slot": slot_in(name),
                         "to_bmc": False})


def _learn_switch_ports(reader: Reader, found: Interfaces) -> None:
    """Learn the neighbours that the manager lists by interface."""
    for _link, entry in reader.members(*_switch_connections(reader)):
        seen = neighbour(chassis_id=lldp_text(entry.get("SwitchConnectionID")),
                         port_id=lldp_text(entry.get("SwitchPortConnectionID")))
        for row in found.rows:
            if seen and row["id"] == identifier(entry.get("Id")):
                fill(row, {"lldp": seen}, keys=("lldp",))


def _switch_connections(reader: Reader) -> Iterator[str]:
    """Yield the collections of switch ports."""
    _link, manager = reader.manager()
    for links in values_at(manager, "Links/Oem/*"):
        for key, value in links.items() if isinstance(links, dict) else ():
            if key.endswith(SWITCH_CONNECTIONS) and link_of(value):
                yield link_of(value)
