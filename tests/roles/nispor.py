# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in, inside a container, for the library of compiled code by which nmstate 1 reads the kernel: `ip` is asked instead.

It has what nmstate looks at for Ethernet, bonds, VLANs and bridges. What nmstate makes of that, and all that it does, is its own.
"""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace

FOREVER = 0xFFFFFFFF
STP = {0: "disabled", 1: "kernel_stp", 2: "user_stp"}


class Record(SimpleNamespace):
    """What was read; all else is unknown."""

    def __getattr__(self, _name: str) -> None:
        return None


def _ask(*words: str) -> list[dict]:
    return json.loads(subprocess.run(["ip", "-j", *words], check=True, capture_output=True, text=True).stdout or "[]")


def _addresses(link: dict, family: str) -> Record:
    found = [entry for entry in link.get("addr_info", []) if entry.get("family") == family]
    return Record(addresses=[
        Record(address=entry["local"], prefix_len=entry["prefixlen"],
               valid_lft="forever" if entry.get("valid_life_time") == FOREVER else f"{entry.get('valid_life_time')}sec")
        for entry in found])


def _link(link: dict, ports: dict[str, list[str]]) -> Record:
    info = link.get("linkinfo", {})
    data, port, name = info.get("info_data", {}), info.get("info_slave_data", {}), link["ifname"]
    kind = info.get("info_kind") or {"ether": "ethernet"}.get(link.get("link_type"), link.get("link_type"))
    given = {key: value for key, value in data.items() if kind == "bond"}
    return Record(**{
        **given, "name": name, "type": kind, "state": link.get("operstate", "").lower(), "mtu": link.get("mtu"),
        "flags": [flag.lower() for flag in link["flags"]], "peer": link.get("link", ""),
        "mac_address": link.get("address", ""), "permanent_mac_address": link.get("permaddr"),
        "ipv4": _addresses(link, "inet"), "ipv6": _addresses(link, "inet6"), "controller_type": info.get("info_slave_kind"),
        "subordinate_state": Record(hairpin_mode=port.get("hairpin", False), stp_path_cost=port.get("cost"), stp_priority=port.get("priority"),
                                    perm_hwaddr=port.get("perm_hwaddr")),
        "ports": ports.get(name, []), "subordinates": ports.get(name, []), "vlan_id": data.get("id"), "base_iface": link.get("link"),
        "options": {**{key: data[key] for key in ("forward_delay", "hello_time", "max_age", "ageing_time", "priority") if key in data},
                    "stp_state": STP.get(data.get("stp_state", 0))},
    })


def _route(entry: dict, family: str) -> Record:
    default = entry["dst"] == "default"
    length = "" if default or "/" in entry["dst"] else "/32" if family == "ipv4" else "/128"
    scope = {"global": "universe"}.get(entry.get("scope"), entry.get("scope"))
    return Record(dst=None if default else entry["dst"] + length, gateway=entry.get("gateway"), oif=entry.get("dev"), metric=entry.get("metric"),
                  scope=scope, protocol=entry.get("protocol"), table=254, address_family=family, _info={})


class NisporNetState:
    """The kernel's network."""

    def __init__(self) -> None:
        links, ports = _ask("-d", "address"), {}
        for link in links:
            ports.setdefault(link.get("master", ""), []).append(link["ifname"])
        self.ifaces = {link["ifname"]: _link(link, ports) for link in links}
        self.routes = [_route(entry, family) for family, flag in (("ipv4", "-4"), ("ipv6", "-6")) for entry in _ask("-d", flag, "route")]
        self.route_rules: list = []

    @classmethod
    def retrieve(cls) -> NisporNetState:
        """Read it."""
        return cls()
