# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of a host as one model: interfaces by their hardware, bonds, VLANs, bridges, and what is addressed on them.

Names of interfaces in the model are the user's own words; which card is meant says its hardware address, its PCI address
or the switch port it is plugged into.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field, replace
from typing import Any, Union

LINK_NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$")
"""What the kernel and all who render accept (IFNAMSIZ is 16 with its end)."""

BOND_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
OVS_MODES = ("active-backup", "balance-slb", "balance-tcp")
DEFAULT_MTU = 1500


@dataclass(frozen=True)
class Nic:
    """A card, and how it is found. `link` is what the kernel calls it, once that is known."""

    name: str
    mac: str | None = None
    pci_address: str | None = None
    switch: str | None = None
    switch_port: str | None = None
    mtu: int | None = None
    link: str | None = None
    permanent_mac: str | None = None
    kind = "interface"
    members = ()

    @property
    def matches(self) -> tuple[tuple[str, str], ...]:
        """The ways in which the user named the card: one is allowed."""
        ways = {"mac": self.mac, "pci_address": self.pci_address, "switch_port": self.switch_port}
        return tuple((way, value) for way, value in ways.items() if value)


@dataclass(frozen=True)
class Bond:
    """Several links as one. `options` are the kernel's, by the kernel's names; or those of Open vSwitch."""

    name: str
    members: tuple[str, ...]
    mode: str = "active-backup"
    options: dict[str, Any] = field(default_factory=dict)
    openvswitch: bool = False
    mtu: int | None = None
    kind = "bond"


@dataclass(frozen=True)
class Vlan:
    """Frames of one VLAN on a link."""

    name: str
    id: int
    link: str
    mtu: int | None = None
    kind = "vlan"

    @property
    def members(self) -> tuple[str, ...]:
        """A VLAN has none: its link may carry many."""
        return ()


@dataclass(frozen=True)
class Bridge:
    """A switch in the kernel or of Open vSwitch."""

    name: str
    members: tuple[str, ...] = ()
    openvswitch: bool = False
    stp: bool = False
    forward_delay: int | None = None
    priority: int | None = None
    mtu: int | None = None
    kind = "bridge"


Link = Union[Nic, Bond, Vlan, Bridge]


@dataclass(frozen=True)
class Route:
    """A way to a network; `to` is "default" or a network in its canonical form."""

    to: str
    via: str | None = None
    metric: int | None = None
    on_link: bool = False

    def network(self, version: int | None = None) -> Any:
        """The destination as a network of the family of the gateway, or of `version`."""
        if self.to != "default":
            return ipaddress.ip_network(self.to)
        family = ipaddress.ip_address(self.via).version if self.via else version or 4
        return ipaddress.ip_network("0.0.0.0/0" if family == 4 else "::/0")


@dataclass(frozen=True)
class Addressing:
    """What is addressed on a link."""

    interface: str
    addresses: tuple[str, ...] = ()
    dhcp4: bool = False
    dhcp6: bool = False
    accept_ra: bool = False
    routes: tuple[Route, ...] = ()
    dns: tuple[str, ...] = ()
    search: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """The whole network of a host."""

    nics: tuple[Nic, ...] = ()
    bonds: tuple[Bond, ...] = ()
    vlans: tuple[Vlan, ...] = ()
    bridges: tuple[Bridge, ...] = ()
    ip: tuple[Addressing, ...] = ()

    @property
    def links(self) -> tuple[Link, ...]:
        """All links, in the order in which they stand on one another."""
        return (*self.nics, *self.bonds, *self.vlans, *self.bridges)

    @property
    def by_name(self) -> dict[str, Link]:
        """Links by the user's names."""
        return {link.name: link for link in self.links}

    @property
    def masters(self) -> dict[str, list[Link]]:
        """Which bonds and bridges name a link as their member."""
        found: dict[str, list[Link]] = {}
        for link in self.links:
            for member in link.members:
                found.setdefault(member, []).append(link)
        return found

    def kernel_name(self, name: str) -> str:
        """What the kernel calls a link."""
        link = self.by_name.get(name)
        return link.link or name if isinstance(link, Nic) else name

    def on_openvswitch(self, vlan: Vlan) -> bool:
        """Whether a VLAN is a port of Open vSwitch, and none of the kernel's VLANs."""
        return bool(getattr(self.by_name[vlan.link], "openvswitch", False))

    def under(self, name: str) -> set[str]:
        """A link and all that it stands on."""
        link = self.by_name[name]
        lower = (link.link,) if isinstance(link, Vlan) else link.members
        return {name}.union(*(self.under(member) for member in lower))

    def mtu(self, name: str) -> int:
        """The MTU that a link gets: its own, else that of the bond it is in, else the common one."""
        link = self.by_name[name]
        if link.mtu:
            return link.mtu
        bond = next((master for master in self.masters.get(name, []) if isinstance(master, Bond)), None)
        return bond.mtu if bond and bond.mtu else DEFAULT_MTU

    def with_nics(self, nics: tuple[Nic, ...]) -> Model:
        """The model with its cards found."""
        return replace(self, nics=nics)


def parse_model(options: dict[str, Any]) -> Model:
    """The model of a module's options. Raises ValueError for what cannot even be read."""
    return Model(
        nics=tuple(_nic(item) for item in options.get("interfaces") or ()),
        bonds=tuple(Bond(**_members(item, "options")) for item in options.get("bonds") or ()),
        vlans=tuple(Vlan(**_given(item)) for item in options.get("vlans") or ()),
        bridges=tuple(Bridge(**_members(item)) for item in options.get("bridges") or ()),
        ip=tuple(_addressing(item) for item in options.get("ip") or ()),
    )


def _given(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if value is not None}


def _members(item: dict[str, Any], *copied: str) -> dict[str, Any]:
    given = _given(item)
    return {**given, "members": tuple(given.get("members", ())), **{key: dict(given.get(key, {})) for key in copied}}


def _nic(item: dict[str, Any]) -> Nic:
    given = _given(item)
    for key in ("mac", "pci_address"):
        if key in given:
            given[key] = str(given[key]).strip().lower().replace("-", ":" if key == "mac" else "-")
    return Nic(**given)


def _addressing(item: dict[str, Any]) -> Addressing:
    given = _given(item)
    for key in ("addresses", "dns"):
        reader = ipaddress.ip_interface if key == "addresses" else ipaddress.ip_address
        given[key] = tuple(_read(reader, value, f"{key} of {item['interface']}") for value in given.get(key, ()))
    given["routes"] = tuple(_route(route, item["interface"]) for route in given.get("routes", ()))
    given["search"] = tuple(given.get("search", ()))
    return Addressing(**given)


def _route(item: dict[str, Any], interface: str) -> Route:
    given, place = _given(item), f"routes of {interface}"
    if given["to"] != "default":
        given["to"] = _read(ipaddress.ip_network, given["to"], place)
    if "via" in given:
        given["via"] = _read(ipaddress.ip_address, given["via"], place)
    return Route(**given)


def _read(reader: Any, value: str, place: str) -> str:
    try:
        return str(reader(value))
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
