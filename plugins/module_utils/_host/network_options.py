# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of M(typeone.metal.host_network)."""

from __future__ import annotations

from typing import Any


def _words(**given: Any) -> dict[str, Any]:
    return {"type": "list", "elements": "str", **given}


def _records(options: dict[str, Any]) -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "default": [], "options": options}


_NAME = {"type": "str", "required": True}
_TEXT = {"type": "str"}
_NUMBER = {"type": "int"}
_OFF = {"type": "bool", "default": False}

_INTERFACE = {
    "name": _NAME,
    "mac": _TEXT,
    "pci_address": _TEXT,
    "switch_port": _TEXT,
    "switch": _TEXT,
    "mtu": _NUMBER,
}
_BOND = {
    "name": _NAME,
    "members": _words(required=True),
    "mode": {"type": "str", "default": "active-backup"},
    "options": {"type": "dict", "default": {}},
    "openvswitch": _OFF,
    "mtu": _NUMBER,
}
_VLAN = {"name": _NAME, "id": {"type": "int", "required": True}, "link": _NAME, "mtu": _NUMBER}
_BRIDGE = {
    "name": _NAME,
    "members": _words(default=[]),
    "openvswitch": _OFF,
    "stp": _OFF,
    "forward_delay": _NUMBER,
    "priority": _NUMBER,
    "mtu": _NUMBER,
}
_ROUTE = {"to": _NAME, "via": _TEXT, "metric": _NUMBER, "on_link": _OFF}
_IP = {
    "interface": _NAME,
    "addresses": _words(default=[]),
    "dhcp4": _OFF,
    "dhcp6": _OFF,
    "accept_ra": _OFF,
    "dns": _words(default=[]),
    "search": _words(default=[]),
    "routes": _records(_ROUTE),
}

SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "confirmed"], "default": "present"},
    "interfaces": _records(_INTERFACE),
    "bonds": _records(_BOND),
    "vlans": _records(_VLAN),
    "bridges": _records(_BRIDGE),
    "ip": _records(_IP),
    "management_address": _TEXT,
    "provider": {"type": "str", "choices": ["auto", "netplan", "nmstate"], "default": "auto"},
    "renderer": {"type": "str", "choices": ["auto", "networkd", "NetworkManager"], "default": "auto"},
    "takeover": _OFF,
    "confirm_within": {"type": "int", "default": 60},
    "wait": {"type": "int", "default": 20},
    "transaction": _TEXT,
    "root": {"type": "path", "default": "/"},
}
