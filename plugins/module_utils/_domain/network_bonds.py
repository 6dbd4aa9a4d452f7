# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of bonds by the kernel's names: what they mean to netplan, and in which modes they are of use.

Source: Documentation/networking/bonding.rst of Linux, and netplan's reference of YAML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import BOND_MODES, OVS_MODES, Bond

_ALL = frozenset(BOND_MODES)
_LACP = frozenset({"802.3ad"})
_PRIMARY = frozenset({"active-backup", "balance-tlb", "balance-alb"})
# These find out about a dead peer by the link's state alone.
_MII_ONLY = frozenset({"802.3ad", "balance-tlb", "balance-alb"})


@dataclass(frozen=True)
class Option:
    """What an option takes: one of `choices`, a number, a list or a word."""

    netplan: str
    modes: frozenset[str] = _ALL
    choices: tuple[str, ...] = ()
    type: type = str


OPTIONS = {
    "lacp_rate": Option("lacp-rate", _LACP, ("slow", "fast")),
    "min_links": Option("min-links", _LACP, type=int),
    "ad_select": Option("ad-select", _LACP, ("stable", "bandwidth", "count")),
    "xmit_hash_policy": Option(
        "transmit-hash-policy",
        frozenset({"balance-xor", "802.3ad", "balance-tlb"}),
        ("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4"),
    ),
    "miimon": Option("mii-monitor-interval", type=int),
    "updelay": Option("up-delay", type=int),
    "downdelay": Option("down-delay", type=int),
    "arp_interval": Option("arp-interval", _ALL - _MII_ONLY, type=int),
    "arp_ip_target": Option("arp-ip-targets", _ALL - _MII_ONLY, type=list),
    "arp_validate": Option(
        "arp-validate", frozenset({"active-backup"}), ("none", "active", "backup", "all")
    ),
    "arp_all_targets": Option("arp-all-targets", frozenset({"active-backup"}), ("any", "all")),
    "primary": Option("primary", _PRIMARY),
    "primary_reselect": Option("primary-reselect-policy", _PRIMARY, ("always", "better", "failure")),
    "fail_over_mac": Option("fail-over-mac-policy", frozenset({"active-backup"}), ("none", "active", "follow")),
    "all_slaves_active": Option("all-members-active", type=bool),
    "num_grat_arp": Option("gratuitous-arp", frozenset({"active-backup"}), type=int),
    "packets_per_slave": Option("packets-per-member", frozenset({"balance-rr"}), type=int),
    "resend_igmp": Option("resend-igmp", type=int),
    "lp_interval": Option("learn-packet-interval", frozenset({"balance-tlb", "balance-alb"}), type=int),
}
OVS_OPTIONS = {"lacp": Option("lacp", frozenset(OVS_MODES), ("active", "passive", "off"))}
_WORDS = {int: "a number", list: "a list", bool: "true or false", str: "a name"}
DEFAULTS = {"miimon": 100}
"""Without it the kernel (and so a bond) never notices that a cable is out."""


def bond_options(bond: Bond) -> dict[str, Any]:
    """The options of a bond with those that no bond should be without."""
    if bond.openvswitch:
        return bond.options
    return bond.options if "arp_interval" in bond.options else {**DEFAULTS, **bond.options}


def check_bond(bond: Bond) -> Iterator[str]:
    """What is wrong with the mode and the options of a bond."""
    modes, table = (OVS_MODES, OVS_OPTIONS) if bond.openvswitch else (BOND_MODES, OPTIONS)
    if bond.mode not in modes:
        yield f"the mode of bond {bond.name} is '{bond.mode}', not one of {', '.join(modes)}"
        return
    for name, value in bond.options.items():
        option = table.get(name)
        if option is None:
            yield f"bond {bond.name} has no option '{name}'; there are {', '.join(table)}"
        elif bond.mode not in option.modes:
            yield f"{name} of bond {bond.name} is of no use in mode {bond.mode} (but in {', '.join(sorted(option.modes))})"
        elif not _fits(option, value):
            wanted = f"one of {', '.join(option.choices)}" if option.choices else _WORDS[option.type]
            yield f"{name} of bond {bond.name} is {value!r}, not {wanted}"
    yield from _check_combinations(bond)


def _fits(option: Option, value: Any) -> bool:
    if option.choices:
        return value in option.choices
    if option.type is int:
        return str(value).isdigit()
    return isinstance(value, option.type)


def _check_combinations(bond: Bond) -> Iterator[str]:
    options = bond.options
    if options.get("primary") and options["primary"] not in bond.members:
        yield f"the primary of bond {bond.name}, '{options['primary']}', is not one of its members"
    if ("arp_interval" in options) != ("arp_ip_target" in options):
        yield f"arp_interval and arp_ip_target of bond {bond.name} need each other"
    if "arp_interval" in options and "miimon" in options:
        yield f"bond {bond.name} watches its links either by miimon or by arp_interval"
    if bond.openvswitch and bond.mode == "balance-tcp" and options.get("lacp", "off") == "off":
        yield f"mode balance-tcp of bond {bond.name} needs lacp: active or passive"
    if bond.openvswitch and len(bond.members) < 2:
        yield f"bond {bond.name} of Open vSwitch needs two members at least"
