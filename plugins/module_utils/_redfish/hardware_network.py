# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network interfaces over Redfish: what EthernetInterfaces, NetworkAdapters, their ports and functions tell, by MAC."""

from __future__ import annotations

from typing import Any, Iterator, Optional

from .._domain.inventory import fill, lldp_text, neighbour, row
from .._domain.units import gbps, identifier, link, mac, positive, text
from .client import Json, link_of
from .fields import NAMED, STATUS, slot_of
from .locality import socket_of
from .reading import Pair, Reader, absent, extract, first, last_part, links_at, values_at

INTERFACE = {**NAMED, **STATUS, "mac_address": (mac, "MACAddress", "MacAddress"),
             "permanent_mac_address": (mac, "PermanentMACAddress"), "link": (link, "LinkStatus"),
             "speed_mbps": (positive, "SpeedMbps"), "pci_path": (text, "UefiDevicePath", "UEFIDevicePath")}
FUNCTION = {**STATUS, "mac_address": (mac, "Ethernet/MACAddress"),
            "permanent_mac_address": (mac, "Ethernet/PermanentMACAddress")}
PORT = {"link": (link, "LinkStatus", "LinkState"),
        "max_speed_mbps": (gbps, "MaxSpeedGbps"), "port": (identifier, "PortId", "PhysicalPortNumber", "Id")}
SPEED = {"gbps": (gbps, "CurrentSpeedGbps"), "mbps": (positive, "CurrentLinkSpeedMbps", "SpeedMbps")}
ADAPTER = {"adapter": (identifier, "Id"), "manufacturer": (text, "Manufacturer"),
           "model": (text, "Model", "Name"), "firmware_version": (
               text, "Controllers/*/FirmwarePackageVersion", "Firmware/Current/VersionString", "FirmwareVersion")}
PORT_MACS = ("Ethernet/AssociatedMACAddresses/*", "AssociatedNetworkAddresses/*", "MACAddress", "MacAddress",
             "Ethernet/MACAddress")
ASSIGNED = ("Links/PhysicalNetworkPortAssignment", "Links/PhysicalPortAssignment", "PhysicalPortAssignment",
            "AssignablePhysicalNetworkPorts", "AssignablePhysicalPorts")
LLDP = {"chassis_id": ("ChassisId", "ChassisIdSubtype"), "port_id": ("PortId", "PortIdSubtype"),
        "system_name": ("SystemName", None), "system_description": ("SystemDescription", None)}
# What stands for "no VLAN" in an announcement (IEEE 802.1Q reserves 4095).
NO_VLAN = 4095


class Interfaces:
    """The rows so far, found by MAC."""

    def __init__(self) -> None:
        self.rows: list[Json] = []

    def add(self, known: Json) -> Json:
        """Return a new row."""
        self.rows.append(row("network_interfaces", **known))
        return self.rows[-1]

    def find(self, *addresses: Optional[str]) -> list[Json]:
        """Return the rows of any of the addresses; a permanent one counts before one that was assigned."""
        for key in ("permanent_mac_address", "mac_address"):
            for address in filter(None, addresses):
                found = [entry for entry in self.rows if entry[key] == address]
                if found:
                    return found
        return []

    def learn(self, known: Json) -> list[Json]:
        """Give what is known to the rows of the same MAC, or to a new one."""
        rows = self.find(known.get("permanent_mac_address"), known.get("mac_address")) or [self.add({})]
        for entry in rows:
            fill(entry, known, keys=known)
        return rows


def read_network(reader: Reader) -> list[Json]:
    """Return the system's network interfaces."""
    found = Interfaces()
    for _link, document in reader.members(link_of(reader.system.get("EthernetInterfaces"))):
        if not absent(document):
            to_bmc = bool(links_at(document, "Links/HostInterface")) or document.get("Id") == "ToManager"
            found.add(dict(extract(document, INTERFACE), to_bmc=to_bmc))
    for _link, adapter in _adapters(reader):
        _learn_adapter(reader, found, adapter)
    if any(entry["adapter"] is None for entry in found.rows) or not found.rows:
        _learn_older_adapters(reader, found)
    return found.rows


def _adapters(reader: Reader) -> list[Pair]:
    """Return the adapters: those that the system's NetworkInterfaces name, then those of its chassis."""
    interfaces = reader.members(link_of(reader.system.get("NetworkInterfaces")))
    links = [link for _unused, entry in interfaces for link in links_at(entry, "Links/NetworkAdapter")]
    named = reader.documents(links)
    collections = [link_of(chassis.get("NetworkAdapters")) for _unused, chassis in reader.chassis()]
    pairs = {link.rstrip("/"): document for link, document in named + reader.members(*collections)}
    pairs.update({link: entry for link, entry in interfaces if not links_at(entry, "Links/NetworkAdapter")})
    return [(link, document) for link, document in pairs.items() if not absent(document)]


def _learn_adapter(reader: Reader, found: Interfaces, adapter: Json) -> None:
    """Give the rows what an adapter, its ports and its functions tell."""
    about = _about(reader, adapter)
    ports = _ports(reader, adapter)
    used: set[str] = set()
    for _link, function in reader.collections_at(adapter, "NetworkDeviceFunctions"):
        known = extract(function, FUNCTION)
        if known["mac_address"] is None and known["permanent_mac_address"] is None:
            continue
        name = next((last_part(link) for link in links_at(function, *ASSIGNED) if last_part(link) in ports), None)
        used.update(filter(None, [name]))
        told = _port(ports[name]) if name else {}
        for entry in found.learn(known):
            fill(entry, {**about, **told, "id": identifier(function.get("Id"))}, keys=[*about, *told, "id"])
    for name, port in ports.items():
        if name not in used:
            _learn_port(found, port, about)


def _learn_port(found: Interfaces, port: Json, about: Json) -> None:
    """Give the rows what a port tells that no function is assigned to: its MACs are all there is to know them by."""
    addresses = list(dict.fromkeys(filter(None, (mac(value) for path in PORT_MACS for value in values_at(port, path)))))
    if not addresses:
        return
    rows = [entry for address in addresses for entry in found.find(address)]
    rows = rows or [found.add({"mac_address": addresses[0], **extract(port, {**NAMED, **STATUS})})]
    told = {**about, **_port(port)}
    for entry in rows:
        fill(entry, told, keys=told)


def _about(reader: Reader, adapter: Json) -> Json:
    """Return what holds for all ports of an adapter."""
    return dict(extract(adapter, ADAPTER), slot=slot_of(adapter), socket=socket_of(reader, adapter))


def _ports(reader: Reader, adapter: Json) -> dict[str, Json]:
    """Return the ports by the last part of their link; the older NetworkPorts where Ports tells of none."""
    pairs = reader.collections_at(adapter, "Ports") or reader.collections_at(adapter, "NetworkPorts")
    return {last_part(link): document for link, document in pairs}


def _port(port: Json) -> Json:
    """Return what a port tells of the interface behind it."""
    speeds = extract(port, SPEED)
    known = dict(extract(port, PORT), speed_mbps=speeds["gbps"] or speeds["mbps"], lldp=_neighbour(port))
    if known["max_speed_mbps"] is None:
        capable = [positive(value) for value in values_at(port, "SupportedLinkCapabilities/*/LinkSpeedMbps")]
        known["max_speed_mbps"] = max(filter(None, capable), default=None)
    return known


def _neighbour(port: Json) -> Optional[Json]:
    """Return the LLDP neighbour that a port hears."""
    for heard in _announcements(port):
        known: dict[str, Any] = {key: lldp_text(heard.get(value), heard.get(subtype) if subtype else None)
                                 for key, (value, subtype) in LLDP.items()}
        vlan = positive(heard.get("ManagementVlanId"))
        found = neighbour(**known, vlan=None if vlan == NO_VLAN else vlan, management_address=first(
            heard, text, "ManagementAddressIPv4", "ManagementAddressIPv6", "ManagementAddressMAC"))
        if found:
            return found
    return None


def _announcements(port: Json) -> Iterator[Json]:
    for path in ("Ethernet/LLDPReceive", "LLDPReceive", "Oem/*/LLDPReceive"):
        for heard in values_at(port, path):
            if isinstance(heard, dict):
                yield heard


def _learn_older_adapters(reader: Reader, found: Interfaces) -> None:
    """Give the rows what adapters of older services tell, whose ports stand in the adapter itself."""
    links = links_at(reader.system, "Oem/*/Links/NetworkAdapters", "Oem/*/NetworkAdapters", "NetworkAdapters")
    for _link, adapter in reader.members(*links):
        about = _about(reader, adapter)
        for port in values_at(adapter, "PhysicalPorts/*"):
            known = dict(extract(port, INTERFACE), **about)
            if known["mac_address"] is not None:
                found.learn(known)
