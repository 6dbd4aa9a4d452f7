# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The lab's network: one namespace, a bridge for provisioning, one for the BMCs, one for tenants."""

from __future__ import annotations

import json
import typing as t

from common import Lab, run


def _links(lab: Lab) -> dict[str, dict[str, t.Any]]:
    """What the namespace holds, by name of the link; empty without a namespace."""
    if not lab.netns_path.exists():
        return {}
    return {link["ifname"]: link for link in json.loads(run(["ip", "-n", lab.netns, "-j", "address"])) if link}


def _addresses(link: dict[str, t.Any]) -> set[str]:
    """The IPv4 addresses of a link, with prefix."""
    return {f"{a['local']}/{a['prefixlen']}" for a in link.get("addr_info", []) if a["family"] == "inet"}


def _steps(lab: Lab, links: dict[str, dict[str, t.Any]]) -> list[str]:
    """The lines of `ip -batch` that are missing, and no other."""
    steps = []
    if "UP" not in links.get("lo", {}).get("flags", []):
        steps.append("link set lo up")
    for bridge, wanted in lab.spec["bridges"].items():
        link = links.get(bridge, {})
        if not link:
            steps.append(f"link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0")
        if "UP" not in link.get("flags", []):
            steps.append(f"link set {bridge} up")
        steps += [f"address add {address} dev {bridge}" for address in wanted if address not in _addresses(link)]
        steps += [f"address del {address} dev {bridge}" for address in sorted(_addresses(link) - set(wanted))]
    return steps


def up(lab: Lab) -> None:
    """Make the namespace and the bridges that are missing."""
    if not lab.netns_path.exists() and lab.change(f"add network namespace {lab.netns}"):
        run(["ip", "netns", "add", lab.netns])
    steps = _steps(lab, _links(lab))
    for step in steps:
        lab.change(step)
    if steps and not lab.check:
        run(["ip", "-n", lab.netns, "-batch", "-"], stdin="\n".join(steps) + "\n")
