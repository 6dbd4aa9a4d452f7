# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network interfaces over Redfish: what EthernetInterfaces, NetworkAdapters, their ports and functions tell, by MAC."""

from __future__ import annotations

from typing import Any, Iterator, Optional

from .._domain.inventory import fill, lldp_text, neighbour
from .._domain.units import gbps, identifier, link, mac, positive, text
from .client import Json, link_of
from .fields import NAMED, STATUS, slot_in, slot_of
from .hardware_network_older import learn_from_older
from .interfaces import INTERFACE, Interfaces
from .locality import slots, socket_of
from .reading import Pair, Reader, absent, extract, first, last_part, link_to, links_at, values_at

FUNCTION = {**STATUS, "mac_address": (mac, "Ethernet/MACAddress"),
            "permanent_mac_address": (mac, "Ethernet/PermanentMACAddress")}
PORT = {"link": (link, "LinkStatus", "LinkState"),
        "max_speed_mbps": (gbps, "MaxSpeedGbps"), "port": (identifier, "PortId", "PhysicalPortNumber", "Id")}
SPEED = {"gbps": (gbps, "CurrentSpeedGbps"), "mbps": (positive, "CurrentLinkSpeedMbps", "SpeedMbps")}
ADAPTER = {"adapter": (identifier, "Id"), "manufacturer": (text, "Manufacturer"),
           "model": (text, "Model"), "firmware_version": (text, "Controllers/*/FirmwarePackageVersion", "FirmwareVersion")}
PORT_MACS = ("Ethernet/AssociatedMACAddresses/*", "AssociatedNetworkAddresses/*", "MACAddress", "MacAddress",
             "Ethernet/MACAddress")
ASSIGNED = ("Links/PhysicalNetworkPortAssignment", "Links/PhysicalPortAssignment", "PhysicalPortAssignment",
            "AssignablePhysicalNetworkPorts", "AssignablePhysicalPorts")
LLDP = {"chassis_id": ("ChassisId", "ChassisIdSubtype"), "port_id": ("PortId", "PortIdSubtype"),
        "system_name": ("SystemName", None), "system_description": ("SystemDescription", None)}
# What stands for "no VLAN" in an announcement (IEEE 802.1Q reserves 4095).
NO_VLAN = 4095


def read_network(reader: Reader) -> list[Json]:
    """Return the system's network interfaces."""
    found = Interfaces()
    for _link, document in reader.members(link_to(reader.system, "EthernetInterfaces")):
        if not absent(document):
            to_bmc = bool(links_at(document, "Links/HostInterface")) or document.get("Id") == "ToManager"
            found.add(dict(extract(document, INTERFACE), to_bmc=to_bmc))
    for _link, adapter in _adapters(reader):
        _learn_adapter(reader, found, adapter)
    learn_from_older(reader, found)
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
            fill(entry, {**about, **told, "id": _name(about["adapter"], function)}, keys=[*about, *told, "id"])
    for name, port in ports.items():
        if name not in used:
            _learn_port(found, port, about)
    for entry in found.rows:
        if entry["adapter"] is None and entry["id"] is not None and entry["id"] == about["adapter"]:
            fill(entry, about, keys=about)


def _name(adapter: Optional[str], part: Json) -> Optional[str]:
    """Return the id of a function or port, with the adapter's before it where it says nothing by itself."""
    name = identifier(part.get("Id"))
    return name if name is None or adapter is None or name.startswith(adapter) else f"{adapter}/{name}"


def _learn_port(found: Interfaces, port: Json, about: Json) -> None:
    """Give the rows what a port tells that no function is assigned to: its MACs are all there is to know them by."""
    addresses = list(dict.fromkeys(filter(None, (mac(value) for path in PORT_MACS for value in values_at(port, path)))))
    if not addresses:
        return
    rows = [entry for address in addresses for entry in found.find(address)]
    rows = rows or [found.add({"mac_address": addresses[0], **extract(port, {**NAMED, **STATUS}),
                               "id": _name(about["adapter"], port)})]
    told = {**about, **_port(port)}
    for entry in rows:
        fill(entry, told, keys=told)


def _about(reader: Reader, adapter: Json) -> Json:
    """Return what holds for all ports of an adapter."""
    known = extract(adapter, ADAPTER)
    device = next(iter(links_at(adapter, "Controllers/*/Links/PCIeDevices", "Links/PCIeDevices")), None)
    slot = slots(reader).get(last_part(device), {}) if device else {}
    return dict(known, to_bmc=False, slot=slot_of(adapter) or slot_of(slot) or slot_in(known["adapter"]),
                socket=socket_of(reader, adapter, slot))


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
