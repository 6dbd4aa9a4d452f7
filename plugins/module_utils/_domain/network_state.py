# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a network the kernel does not have, out of the answers of `ip -j -d`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator

from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import (
    Addressing,
    Bond,
    Bridge,
    Model,
    Nic,
    Vlan,
)

# What Open vSwitch makes for itself: by the kernel's module, or without it.
_OVS_KINDS = ("openvswitch", "tun")


@dataclass(frozen=True)
class Seen:
    """Links by name as `ip -j -d address` lists them, routes as `ip -j route`.

    Of Open vSwitch, the ports of its bridges, and the tags of its ports.
    """

    links: dict[str, dict[str, Any]]
    routes: tuple[dict[str, Any], ...] = ()
    ovs_ports: dict[str, list[str]] = field(default_factory=dict)
    ovs_tags: dict[str, int] = field(default_factory=dict)

    def kind(self, name: str) -> str | None:
        """What kind of virtual link it is; None for a card."""
        return self.links[name].get("linkinfo", {}).get("info_kind")

    def carrier(self, name: str) -> bool:
        """Whether the link has a peer. Without one its routes (and often its addresses) wait."""
        flags = self.links.get(name, {}).get("flags", [])
        return "UP" in flags and "NO-CARRIER" not in flags

    def addresses(self, name: str) -> set[str]:
        """Addresses with the lengths of their prefixes."""
        entries = self.links.get(name, {}).get("addr_info", [])
        return {f"{entry['local']}/{entry['prefixlen']}" for entry in entries if "local" in entry}


def missing(model: Model, seen: Seen) -> list[str]:
    """What the model has and the kernel has not, in words."""
    return [*_links(model, seen), *_addresses(model, seen)]


def _master(model: Model, name: str) -> str | None:
    """The bond or bridge of the kernel that a link is to be in."""
    masters = [master for master in model.masters.get(name, []) if not getattr(master, "openvswitch", False)]
    return masters[0].name if masters else None


def moved(model: Model, seen: Seen) -> set[str]:
    """Links, by the kernel's names, that are in another bond or bridge of the kernel than they are to be."""
    pairs = ((model.kernel_name(link.name), _master(model, link.name)) for link in model.links)
    return {name for name, master in pairs if name in seen.links and seen.links[name].get("master") != master}


def redefined(model: Model, seen: Seen) -> set[str]:
    """Virtual links that are there, but otherwise than the model has them."""
    links = (link for link in model.links if not isinstance(link, Nic) and link.name in seen.links)
    return {link.name for link in links if any(_details(model, link, seen))}


def replaced(model: Model, seen: Seen) -> set[str]:
    """Those of them that are links of another kind altogether."""
    links = (link for link in model.links if not isinstance(link, Nic) and link.name in seen.links)
    return {link.name for link in links if seen.kind(link.name) not in _kinds(model, link)}


def _kinds(model: Model, link: Bond | Bridge | Vlan) -> tuple[str, ...]:
    """What the kernel may call the kind of a virtual link. A bond of Open vSwitch is no link of its."""
    if isinstance(link, Vlan):
        return _OVS_KINDS if model.on_openvswitch(link) else ("vlan",)
    if isinstance(link, Bond):
        return () if link.openvswitch else ("bond",)
    return _OVS_KINDS if link.openvswitch else ("bridge",)


def _links(model: Model, seen: Seen) -> Iterator[str]:
    for link in model.links:
        name = model.kernel_name(link.name)
        real = seen.links.get(name)
        ovs = getattr(link, "openvswitch", False)
        if ovs and isinstance(link, Bridge):
            yield from _ovs_bridge(model, link, seen)
        elif real is None and not ovs:
            yield f"there is no {link.kind} {name}"
        if real is None:
            continue
        if "UP" not in real.get("flags", []):
            yield f"{name} is down"
        if link.mtu and real.get("mtu") != link.mtu:
            yield f"the MTU of {name} is {real.get('mtu')}, not {link.mtu}"
        master = _master(model, link.name)
        if real.get("master") != master and (master or not model.masters.get(link.name)):
            yield f"{name} is in {real.get('master') or 'no other link'}, not in {master or 'none'}"
        yield from _details(model, link, seen)


def _details(model: Model, link: Any, seen: Seen) -> Iterator[str]:
    real = seen.links[model.kernel_name(link.name)]
    data = real.get("linkinfo", {}).get("info_data", {})
    if not isinstance(link, Nic) and seen.kind(link.name) not in _kinds(model, link):
        wanted = " or ".join(_kinds(model, link)) or "of Open vSwitch, where it is no link"
        yield f"the kind of {link.kind} {link.name} is {seen.kind(link.name) or 'a card'}, not {wanted}"
    elif isinstance(link, Bond) and data.get("mode") != link.mode:
        yield f"the mode of bond {link.name} is {data.get('mode')}, not {link.mode}"
    elif isinstance(link, Vlan) and model.on_openvswitch(link):
        if seen.ovs_tags.get(link.name) != link.id:
            yield f"the id of VLAN {link.name} of Open vSwitch is {seen.ovs_tags.get(link.name)}, not {link.id}"
    elif isinstance(link, Vlan):
        if data.get("id") != link.id:
            yield f"the id of VLAN {link.name} is {data.get('id')}, not {link.id}"
        if real.get("link") != model.kernel_name(link.link):
            yield f"VLAN {link.name} is on {real.get('link')}, not on {model.kernel_name(link.link)}"


def _ovs_bridge(model: Model, bridge: Bridge, seen: Seen) -> Iterator[str]:
    if bridge.name not in seen.ovs_ports:
        yield f"there is no bridge {bridge.name} of Open vSwitch"
        return
    bonds = (bond for bond in model.bonds if bond.openvswitch and bond.name in bridge.members)
    for name in (*bridge.members, *(member for bond in bonds for member in bond.members)):
        if model.kernel_name(name) not in seen.ovs_ports[bridge.name]:
            yield f"{model.kernel_name(name)} is no port of bridge {bridge.name}"


def _addresses(model: Model, seen: Seen) -> Iterator[str]:
    for item in model.ip:
        name = model.kernel_name(item.interface)
        if name not in seen.links or not seen.carrier(name):
            continue
        for address in item.addresses:
            if address not in seen.addresses(name):
                yield f"{name} has not the address {address}"
            for other in seen.links:
                if other != name and address in seen.addresses(other):
                    yield f"the address {address} is on {other} too"
        yield from _routes(item, name, seen)


def _routes(item: Addressing, name: str, seen: Seen) -> Iterator[str]:
    for route in item.routes:
        wanted = (str(route.network()), route.via)
        if not any(_is(entry, wanted, route.metric) for entry in seen.routes if entry.get("dev") == name):
            yield f"there is no route to {route.to} via {route.via or name}"


def _is(entry: dict[str, Any], wanted: tuple[str, str | None], metric: int | None) -> bool:
    """Whether an entry of `ip -j route` is a route; the kernel's word for both families' default is the same."""
    network, gateway = str(entry.get("dst", "")), entry.get("gateway")
    if network == "default":
        network = "::/0" if ":" in (gateway or "") else "0.0.0.0/0"
    elif "/" not in network:
        network += "/128" if ":" in network else "/32"
    return (network, gateway) == wanted and metric in (None, entry.get("metric"))
