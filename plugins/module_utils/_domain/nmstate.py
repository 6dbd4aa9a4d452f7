# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The model of a network as nmstate's YAML.

Source: nmstate's YAML API. Keys keep to what versions 1.2 and 2 have in common. Cards are named as the kernel names them:
nmstate has known them by their hardware addresses only since 2.2.10.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.network_bonds import bond_options
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import (
    Addressing,
    Bond,
    Bridge,
    Link,
    Model,
    Nic,
    Vlan,
)
from ansible_collections.typeone.metal.plugins.module_utils._domain.plain_yaml import to_yaml

_SWITCHED_OFF = {"enabled": False}
# Bonding's own words for what the model has as true or false.
_ALL_SLAVES_ACTIVE = {False: "dropped", True: "delivered"}


def render(model: Model) -> str:
    """The desired state that is the whole model."""
    addressed = {item.interface: item for item in model.ip}
    interfaces = [entry for link in model.links for entry in _WRITERS[type(link)](link, model, _ip(addressed.get(link.name)))]
    servers = [server for item in model.ip for server in item.dns]
    search = [domain for item in model.ip for domain in item.search]
    return to_yaml({
        "interfaces": interfaces,
        "routes": {"config": list(_routes(model))},
        "dns-resolver": {"config": {"server": list(dict.fromkeys(servers)), "search": list(dict.fromkeys(search))}},
    })


def rendered_links(text: str) -> list[str]:
    """Names of the interfaces in what was rendered here once."""
    names = re.findall(r"^  - name: (.+)$", text, re.MULTILINE)
    return [json.loads(name) if name.startswith('"') else name for name in dict.fromkeys(names)]


def refused(model: Model) -> Iterator[str]:
    """What nmstate cannot bring about, in words."""
    for item in model.ip:
        if item.accept_ra and not item.dhcp6:
            yield f"accept_ra of {item.interface} without dhcp6 is nothing that nmstate has: set dhcp6 too"
        for family, dhcp in ((4, item.dhcp4), (6, item.dhcp6)):
            if dhcp and any(ipaddress.ip_interface(address).version == family for address in item.addresses):
                yield f"nmstate gives {item.interface} either addresses or dhcp{family}, not both"
        for route in item.routes:
            if route.on_link:
                yield f"on_link of the route to {route.to} on {item.interface} is nothing that nmstate has"
    for bond in model.bonds:
        if bond.openvswitch and bond.options.get("lacp", "off") != "off":
            yield f"lacp of bond {bond.name} of Open vSwitch is nothing that nmstate has for mode {bond.mode}"


def _entry(link: Link, model: Model, kind: str, **given: Any) -> dict[str, Any]:
    """Every MTU is told: what is not told nmstate leaves as it was."""
    return {"name": model.kernel_name(link.name), "type": kind, "state": "up", "mtu": model.mtu(link.name), **given}


def _nic(nic: Nic, model: Model, ip: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield _entry(nic, model, "ethernet", **ip)


def _bond(bond: Bond, model: Model, ip: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if bond.openvswitch:
        return  # a part of its bridge
    options = {name: _bond_option(name, value, model) for name, value in bond_options(bond).items()}
    aggregation = {"mode": bond.mode, "options": options, "port": [model.kernel_name(name) for name in bond.members]}
    yield _entry(bond, model, "bond", **ip, **{"link-aggregation": aggregation})


def _bond_option(name: str, value: Any, model: Model) -> Any:
    if name == "primary":
        return model.kernel_name(value)
    if name == "all_slaves_active":
        return _ALL_SLAVES_ACTIVE[value]
    return ",".join(value) if isinstance(value, list) else int(value) if str(value).isdigit() else value


def _vlan(vlan: Vlan, model: Model, ip: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if model.on_openvswitch(vlan):
        yield _entry(vlan, model, "ovs-interface", **ip)
    else:
        yield _entry(vlan, model, "vlan", **ip, vlan={"base-iface": model.kernel_name(vlan.link), "id": vlan.id})


def _bridge(bridge: Bridge, model: Model, ip: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if bridge.openvswitch:
        yield from _ovs_bridge(bridge, model, ip)
        return
    given = {"forward-delay": bridge.forward_delay, "priority": bridge.priority}
    stp = {"enabled": bridge.stp, **{key: value for key, value in given.items() if value is not None}}
    ports = [{"name": model.kernel_name(name)} for name in bridge.members]
    yield _entry(bridge, model, "linux-bridge", **ip, bridge={"options": {"stp": stp}, "port": ports})


def _ovs_bridge(bridge: Bridge, model: Model, ip: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The bridge, and the port of its own name that the kernel sees; its VLANs are ports with a tag."""
    members = [model.by_name[name] for name in bridge.members]
    tagged = [vlan for vlan in model.vlans if vlan.link == bridge.name]
    ports = [
        *(_ovs_port(link, model) for link in members),
        {"name": bridge.name},
        *({"name": vlan.name, "vlan": {"mode": "access", "tag": vlan.id}} for vlan in tagged),
    ]
    yield {"name": bridge.name, "type": "ovs-bridge", "state": "up",
           "bridge": {"options": {"rstp": bridge.stp}, "port": ports}}
    yield _entry(bridge, model, "ovs-interface", **ip)


def _ovs_port(link: Link, model: Model) -> dict[str, Any]:
    if not isinstance(link, Bond) or not link.openvswitch:
        return {"name": model.kernel_name(link.name)}
    ports = [{"name": model.kernel_name(name)} for name in link.members]
    return {"name": link.name, "link-aggregation": {"mode": link.mode, "port": ports}}


_WRITERS = {Nic: _nic, Bond: _bond, Vlan: _vlan, Bridge: _bridge}


def _ip(item: Addressing | None) -> dict[str, Any]:
    """Both families. What is not asked for is said to be off."""
    item = item or Addressing("")
    addresses: dict[int, list[dict[str, Any]]] = {4: [], 6: []}
    for address in map(ipaddress.ip_interface, item.addresses):
        addresses[address.version].append({"ip": str(address.ip), "prefix-length": address.network.prefixlen})
    # nmstate keeps name servers with a gateway, else with an interface that is told of none.
    told = {"auto-dns": False} if item.dns or item.search else {}
    ipv4 = {"enabled": True, "dhcp": item.dhcp4, "address": addresses[4], **(told if item.dhcp4 else {})}
    ipv6 = {"enabled": True, "dhcp": item.dhcp6, "autoconf": item.accept_ra, "address": addresses[6], **(told if item.dhcp6 else {})}
    return {
        "ipv4": ipv4 if item.dhcp4 or addresses[4] else _SWITCHED_OFF,
        "ipv6": ipv6 if item.dhcp6 or addresses[6] else _SWITCHED_OFF,
    }


def _routes(model: Model) -> Iterator[dict[str, Any]]:
    """Those that an interface had go first: nmstate keeps what it is not told to take away."""
    for item in model.ip:
        name = model.kernel_name(item.interface)
        yield {"next-hop-interface": name, "state": "absent"}
        for route in item.routes:
            entry = {"destination": str(route.network()), "next-hop-interface": name, "next-hop-address": route.via, "metric": route.metric}
            yield {key: value for key, value in entry.items() if value is not None}
