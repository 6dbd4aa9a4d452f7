# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a network, found before anything is touched."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Iterable, Iterator

from ansible_collections.typeone.metal.plugins.module_utils._domain.network_bonds import check_bond
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import (
    LINK_NAME,
    Addressing,
    Bond,
    Bridge,
    Model,
    Nic,
    Vlan,
)

_MAC = re.compile(r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")
_PCI = re.compile(r"^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")
LEAST_MTU, LEAST_MTU_IPV6, GREATEST_MTU = 68, 1280, 65535  # RFC 791, RFC 8200, and the length field of IPv4


@dataclass(frozen=True)
class Management:
    """How the host is administered: its address towards the controller, and the controller's own, where known."""

    address: str | None = None
    controller: str | None = None
    nic: str | None = None  # the model's name of the card (or link) that carries the way to the controller today


def check_model(model: Model, management: Management = Management()) -> list[str]:
    """All that is wrong, in words; nothing where the model can be."""
    problems = [problem for check in _CHECKS for problem in check(model)]
    return problems or list(_management(model, management))


def _twice(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def _names(model: Model) -> Iterator[str]:
    for name in _twice(link.name for link in model.links):
        yield f"the name '{name}' is given twice"
    for link in model.links:
        if not isinstance(link, Nic) and not LINK_NAME.match(link.name):
            yield f"'{link.name}' cannot be the name of a {link.kind}: up to 15 letters, digits, and . _ -"
    kernel = {nic.link for nic in model.nics if nic.link}
    for link in model.links:
        if not isinstance(link, Nic) and link.name in kernel:
            yield f"{link.kind} {link.name} has the name of a card"
    for name in _twice(item.interface for item in model.ip):
        yield f"ip lists {name} twice"


def _matches(model: Model) -> Iterator[str]:
    for nic in model.nics:
        if len(nic.matches) != 1:
            yield f"interface {nic.name} needs one of mac, pci_address and switch_port, no more and no less"
        if nic.mac and not _MAC.match(nic.mac):
            yield f"mac of interface {nic.name} is '{nic.mac}', not an address such as 52:54:00:12:34:56"
        if nic.pci_address and not _PCI.match(nic.pci_address):
            yield f"pci_address of interface {nic.name} is '{nic.pci_address}', not an address such as 0000:3b:00.0"
    keys = [nic.matches + ((("switch", nic.switch),) if nic.switch else ()) for nic in model.nics]
    for key in _twice(str(dict(key)) for key in keys if key):
        yield f"two interfaces are matched by the same {key}"
    for link in _twice(nic.link for nic in model.nics if nic.link):
        yield f"two interfaces are the same card {link}"


def _members(model: Model) -> Iterator[str]:
    known = model.by_name
    for name, masters in model.masters.items():
        if len(masters) > 1:
            yield f"{name} is a member of {' and of '.join(f'{m.kind} {m.name}' for m in masters)}"
        if name not in known:
            yield f"{masters[0].kind} {masters[0].name} has the member '{name}', which is nowhere in the model"
    for link in model.links:
        for name in _twice(link.members):
            yield f"{link.kind} {link.name} lists {name} twice"
        yield from _kinds_of_members(model, link)


def _kinds_of_members(model: Model, link: Bond | Bridge | Nic | Vlan) -> Iterator[str]:
    members = [model.by_name[name] for name in link.members if name in model.by_name]
    if isinstance(link, Bond):
        if not link.members:
            yield f"bond {link.name} has no members"
        for member in members:
            if not isinstance(member, Nic):
                yield f"bond {link.name} cannot have the {member.kind} {member.name} as a member, only interfaces"
        masters = model.masters.get(link.name, [])
        if link.openvswitch and not any(isinstance(m, Bridge) and m.openvswitch for m in masters):
            yield f"bond {link.name} of Open vSwitch must be a member of a bridge of Open vSwitch"
    for member in members if isinstance(link, Bridge) else ():
        if isinstance(member, Bridge):
            yield f"bridge {link.name} cannot have the bridge {member.name} as a member"
        if isinstance(member, Bond) and member.openvswitch and not link.openvswitch:
            yield f"bridge {link.name} of the kernel cannot have the bond {member.name} of Open vSwitch as a member"


def _bonds(model: Model) -> Iterator[str]:
    for bond in model.bonds:
        yield from check_bond(bond)


def _vlans(model: Model) -> Iterator[str]:
    known = model.by_name
    for vlan in model.vlans:
        if not 1 <= vlan.id <= 4094:
            yield f"the id of VLAN {vlan.name} is {vlan.id}, not 1 to 4094"
        if vlan.link not in known:
            yield f"VLAN {vlan.name} is on '{vlan.link}', which is nowhere in the model"
        elif isinstance(known[vlan.link], Vlan):
            yield f"VLAN {vlan.name} is on VLAN {vlan.link}: tags in tags are not supported"
        masters = model.masters.get(vlan.link, [])
        if masters:
            yield f"VLAN {vlan.name} is on {vlan.link}, which is a member of {masters[0].kind} {masters[0].name}: put it on that"
    for place in _twice(f"id {vlan.id} on {vlan.link}" for vlan in model.vlans):
        yield f"two VLANs have {place}"


def _mtus(model: Model) -> Iterator[str]:
    for link in model.links:
        if link.mtu is not None and not LEAST_MTU <= link.mtu <= GREATEST_MTU:
            yield f"the MTU of {link.name} is {link.mtu}, not {LEAST_MTU} to {GREATEST_MTU}"
    for item in model.ip:
        six = item.dhcp6 or item.accept_ra or any(":" in address for address in item.addresses)
        if six and item.interface in model.by_name and model.mtu(item.interface) < LEAST_MTU_IPV6:
            yield f"{item.interface} has IPv6 and an MTU of {model.mtu(item.interface)}; IPv6 needs {LEAST_MTU_IPV6}"
    for upper, lower in _mtu_chain(model):
        if lower in model.by_name and model.mtu(upper) > model.mtu(lower):
            yield f"the MTU of {upper} is {model.mtu(upper)}, more than the {model.mtu(lower)} of {lower} under it"
    for bond in model.bonds:
        for nic in (model.by_name.get(name) for name in bond.members):
            if nic and nic.mtu and nic.mtu != model.mtu(bond.name):
                yield f"the MTU of {nic.name} is {nic.mtu}, but its bond {bond.name} gives it {model.mtu(bond.name)}"


def _mtu_chain(model: Model) -> Iterator[tuple[str, str]]:
    """What stands on what, where the upper MTU must fit into the lower."""
    yield from ((vlan.name, vlan.link) for vlan in model.vlans)
    yield from ((bridge.name, member) for bridge in model.bridges for member in bridge.members)


def _addresses(model: Model) -> Iterator[str]:
    known, members = model.by_name, model.masters
    for item in model.ip:
        if item.interface not in known:
            yield f"ip names '{item.interface}', which is nowhere in the model"
        if item.interface in members:
            master = members[item.interface][0]
            yield f"{item.interface} is a member of {master.kind} {master.name}: addresses belong on that"
    every = [address for item in model.ip for address in item.addresses]
    for address in _twice(text.split("/")[0] for text in every):
        yield f"the address {address} is given twice"
    for address in map(ipaddress.ip_interface, every):
        network = address.network
        if address.is_multicast or address.is_unspecified or address.is_loopback:
            yield f"{address} cannot be an address of a host"
        elif address.version == 4 and network.prefixlen < 31 and address.ip in (network[0], network[-1]):
            yield f"{address} is the network or the broadcast address of its network"


def _networks(item: Addressing) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_interface(address).network for address in item.addresses]


def _on_link(item: Addressing, gateway: str) -> bool:
    """Whether a gateway can be a neighbour: in a network of the link, or in one that only a server tells."""
    address = ipaddress.ip_address(gateway)
    told = item.dhcp4 if address.version == 4 else item.dhcp6 or item.accept_ra or address.is_link_local
    return told or any(address in network for network in _networks(item))


def _routes(model: Model) -> Iterator[str]:
    own = {text.split("/")[0] for item in model.ip for text in item.addresses}
    seen = []
    for item, route in ((item, route) for item in model.ip for route in item.routes):
        place = f"the route to {route.to} on {item.interface}"
        if route.via is None and route.to == "default":
            yield f"{place} has no gateway (via)"
        elif route.via in own:
            yield f"{place} goes via {route.via}, an address of this host"
        elif route.via and not route.on_link and not _on_link(item, route.via):
            yield f"{place} goes via {route.via}, which is in no network of {item.interface} (else set on_link)"
        if route.via and route.network().version != ipaddress.ip_address(route.via).version:
            yield f"{place} goes via an address of the other family"
        seen.append(f"{route.network()} with metric {route.metric or 'of the system'}")
    for text in _twice(seen):
        yield f"two routes lead to {text}"


_CHECKS: tuple[Callable[[Model], Iterator[str]], ...] = (
    _names,
    _matches,
    _members,
    _bonds,
    _vlans,
    _mtus,
    _addresses,
    _routes,
)


def _management(model: Model, management: Management) -> Iterator[str]:
    """Whether the way from the controller to this host is still there afterwards."""
    if not management.address:
        return
    address = ipaddress.ip_address(management.address)
    holders = [item for item in model.ip if any(address == ipaddress.ip_interface(a).ip for a in item.addresses)]
    if not holders and management.nic:
        told = [item for item in model.ip if _told(item, address.version)]
        holders = [item for item in told if management.nic in model.under(item.interface)]
    if not holders:
        yield (
            f"the management interface is lost: the controller comes to {address}, which nothing in the model has. "
            "Where the host is to move, say where to (management_address)"
        )
    elif management.controller and not _leads_back(model, ipaddress.ip_address(management.controller)):
        yield (
            f"the management interface is lost: no network and no route of the model leads back to the controller "
            f"at {management.controller}"
        )


def _told(item: Addressing, version: int) -> bool:
    """Whether a server on the network tells addresses and ways."""
    return item.dhcp4 if version == 4 else item.dhcp6 or item.accept_ra


def _leads_back(model: Model, controller: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if controller.is_link_local:
        return True
    for item in model.ip:
        networks = [*_networks(item), *(route.network(controller.version) for route in item.routes)]
        if _told(item, controller.version) or any(controller in network for network in networks):
            return True
    return False
