# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The model of a network as netplan's YAML.

Source: netplan's reference of YAML (version 0.106, Debian 12, and later). Keys keep to what that version knows.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.network_bonds import (
    OPTIONS,
    OVS_OPTIONS,
    bond_options,
)
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

RENDERERS = ("networkd", "NetworkManager")
SECTIONS = {"interface": "ethernets", "bond": "bonds", "vlan": "vlans", "bridge": "bridges"}


def render(model: Model, *, renderer: str) -> str:
    """One file of netplan that is the whole model."""
    network: dict[str, Any] = {"version": 2, "renderer": renderer}
    addressed = {item.interface: item for item in model.ip}
    for link in model.links:
        section = network.setdefault(SECTIONS[link.kind], {})
        section[model.kernel_name(link.name)] = {
            **_WRITERS[type(link)](link, model),
            **_common(link, model),
            **_addressing(addressed.get(link.name)),
            **(_switched_off(addressed.get(link.name)) if renderer == RENDERERS[1] and link.name not in model.masters else {}),
        }
    return to_yaml({"network": network})


def _nic(nic: Nic, _model: Model) -> dict[str, Any]:
    """Matched by the address that the card has for good; the name that it has today is kept."""
    if not nic.permanent_mac:
        return {}
    return {"match": {"macaddress": nic.permanent_mac}, "set-name": nic.link}


def _bond(bond: Bond, model: Model) -> dict[str, Any]:
    table = OVS_OPTIONS if bond.openvswitch else OPTIONS
    options, parameters = bond_options(bond), {"mode": bond.mode}
    own = {"openvswitch": {}} if bond.openvswitch else {}
    for name, value in options.items():
        value = model.kernel_name(value) if name == "primary" else value
        target = own["openvswitch"] if bond.openvswitch else parameters
        target[table[name].netplan] = int(value) if table[name].type is int else value
    return {"interfaces": [model.kernel_name(name) for name in bond.members], "parameters": parameters, **own}


def _vlan(vlan: Vlan, model: Model) -> dict[str, Any]:
    return {"id": vlan.id, "link": model.kernel_name(vlan.link)}


def _bridge(bridge: Bridge, model: Model) -> dict[str, Any]:
    found: dict[str, Any] = {"interfaces": [model.kernel_name(name) for name in bridge.members]}
    if bridge.openvswitch:
        return {**found, "openvswitch": {"rstp": bridge.stp}}
    parameters = {"stp": bridge.stp, "forward-delay": bridge.forward_delay, "priority": bridge.priority}
    # Without spanning tree there is nothing to wait for.
    parameters["forward-delay"] = (0 if not bridge.stp else None) if bridge.forward_delay is None else bridge.forward_delay
    return {**found, "parameters": {key: value for key, value in parameters.items() if value is not None}}


_WRITERS = {Nic: _nic, Bond: _bond, Vlan: _vlan, Bridge: _bridge}


def _common(link: Link, model: Model) -> dict[str, Any]:
    """The MTU where anything but the common one is asked for, be it for the bond that the link is in."""
    given = link.mtu or (model.mtu(link.name) if model.mtu(link.name) != 1500 else None)
    return {"mtu": given} if given else {}


def _switched_off(item: Addressing | None) -> dict[str, Any]:
    """The same in NetworkManager's own words: netplan 0.106 has it take addresses of the link, and the kernel routers' offers."""
    addresses = item.addresses if item else ()
    four = item is not None and (item.dhcp4 or any(":" not in address for address in addresses))
    six = item is not None and (item.dhcp6 or item.accept_ra or any(":" in address for address in addresses))
    methods = {"ipv4.method": None if four else "disabled", "ipv6.method": None if six else "link-local"}
    words = {key: value for key, value in methods.items() if value}
    return {"networkmanager": {"passthrough": words}} if words else {}


def _addressing(item: Addressing | None) -> dict[str, Any]:
    """What is not asked for is said to be off: renderers differ in their defaults."""
    if item is None:
        return {"dhcp4": False, "dhcp6": False, "accept-ra": False}
    found: dict[str, Any] = {"dhcp4": item.dhcp4, "dhcp6": item.dhcp6, "accept-ra": item.accept_ra}
    if item.dhcp4:
        found["dhcp-identifier"] = "mac"
    if item.addresses:
        found["addresses"] = list(item.addresses)
    if item.routes:
        found["routes"] = [
            {
                key: value
                for key, value in (
                    ("to", route.to if route.to != "default" else str(route.network())),
                    ("via", route.via),
                    ("metric", route.metric),
                    ("on-link", route.on_link or None),
                    ("scope", "link" if route.via is None else None),
                )
                if value is not None
            }
            for route in item.routes
        ]
    servers = {key: list(value) for key, value in (("addresses", item.dns), ("search", item.search)) if value}
    return {**found, "nameservers": servers} if servers else found
