# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links of a host as the kernel has them, and which of them the cards of a model are."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.lldp import (
    Neighbour,
    parse_frames,
    parse_lldpctl,
    parse_networkctl,
)
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import Model, Nic
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_state import Seen
from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, entries, read_text
from ansible_collections.typeone.metal.plugins.module_utils._host.profiles import RUNNING, read_profiles
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs
from ansible_collections.typeone.metal.plugins.module_utils._host.topology import pci_address

NETWORKD_LLDP = "/run/systemd/netif/lldp"
# include/uapi/linux/netdevice.h: NET_ADDR_PERM, given by the hardware.
_PERMANENT = "0"


def read_seen(programs: Programs) -> Seen:
    """Links, addresses and routes; the ports of Open vSwitch's bridges where that is installed."""
    links = {link["ifname"]: link for link in _json(programs, ["ip", "-j", "-d", "address"]) if link.get("ifname")}
    routes = [*_json(programs, ["ip", "-j", "route"]), *_json(programs, ["ip", "-j", "-6", "route"])]
    ports = _ovs_ports(programs)
    return Seen(links, tuple(routes), ports, _ovs_tags(programs) if ports else {})


def _json(programs: Programs, argv: list[str]) -> list[dict[str, Any]]:
    text = programs.run(argv).stdout
    try:
        return json.loads(text or "[]")
    except ValueError as error:
        raise HostError(f"Cannot read the network of this host: {' '.join(argv)} answers no JSON. Update iproute2.") from error


def _ovs_ports(programs: Programs) -> dict[str, list[str]]:
    """Bridges of Open vSwitch with their ports, and with what is in a bond that is a port."""
    if not programs.find("ovs-vsctl"):
        return {}
    bridges = programs.run(["ovs-vsctl", "--timeout=5", "list-br"], check=False)
    found = {}
    for bridge in bridges.stdout.split() if bridges.rc == 0 else ():
        names = [programs.run(["ovs-vsctl", "--timeout=5", verb, bridge], check=False).stdout.split()
                 for verb in ("list-ports", "list-ifaces")]
        found[bridge] = sorted(set(names[0] + names[1]))
    return found


def _ovs_tags(programs: Programs) -> dict[str, int]:
    """VLANs that ports of Open vSwitch belong to: what the kernel knows nothing of."""
    answer = programs.run(["ovs-vsctl", "--timeout=5", "--format=json", "--columns=name,tag", "list", "Port"], check=False)
    rows = json.loads(answer.stdout)["data"] if answer.rc == 0 and answer.stdout.startswith("{") else []
    return {name: tag for name, tag in rows if isinstance(tag, int)}


def permanent_mac(link: dict[str, Any], root: str = "/") -> str | None:
    """The address that a card has for good. A bond gives its members another one; virtual links have none."""
    name = link["ifname"]
    folder = below(root, f"/sys/class/net/{name}")
    if link.get("permaddr"):
        return str(link["permaddr"]).lower()
    if os.path.exists(f"{folder}/device") or read_text(f"{folder}/addr_assign_type") == _PERMANENT:
        return str(link.get("address", "")).lower() or None
    return None


def _cards(seen: Seen) -> dict[str, dict[str, Any]]:
    """Links that may be cards: Ethernet, and not made by this host (but for the end of a pair that a container has)."""
    return {
        name: link
        for name, link in seen.links.items()
        if link.get("link_type") == "ether" and link.get("linkinfo", {}).get("info_kind") in (None, "veth")
    }


def neighbours(seen: Seen, programs: Programs, root: str = "/") -> dict[str, list[Neighbour]]:
    """Switch ports by link, from lldpd where it runs, and from systemd-networkd."""
    found = _told(programs, ["lldpctl", "-f", "json0"], parse_lldpctl)
    folder = below(root, NETWORKD_LLDP)
    numbers = {str(link.get("ifindex")): name for name, link in seen.links.items()}
    for number in entries(folder):
        if number in numbers:
            with open(f"{folder}/{number}", "rb") as stream:
                found.setdefault(numbers[number], []).extend(parse_frames(stream.read()))
    if not os.path.isdir(folder):  # systemd 257 keeps no frames in files, and tells when it is asked
        for name, those in _told(programs, ["networkctl", "lldp", "--json=short"], parse_networkctl).items():
            found.setdefault(name, []).extend(those)
    return found


def _told(programs: Programs, argv: list[str], parse: Callable[[dict[str, Any]], dict[str, list[Neighbour]]]) -> dict[str, list[Neighbour]]:
    """What a program that may not be there, or not know how, tells of neighbours in JSON."""
    answer = programs.run(argv, check=False) if programs.find(argv[0]) else None
    return parse(json.loads(answer.stdout)) if answer and answer.rc == 0 and answer.stdout.startswith("{") else {}


def find_nics(model: Model, seen: Seen, programs: Programs, *, root: str = "/") -> tuple[Model, list[str]]:
    """The model with its cards found, and what was not found or is not unique, in words."""
    cards = _cards(seen)
    around = neighbours(seen, programs, root) if any(nic.switch_port for nic in model.nics) else {}
    nics, problems = [], []
    for nic in model.nics:
        names = [name for name, link in cards.items() if _is(nic, link, around.get(name, []), root)]
        if len(names) == 1:
            nic = replace(nic, link=names[0], permanent_mac=permanent_mac(cards[names[0]], root))
        elif nic.matches:
            way, value = nic.matches[0]
            there = f"{' and '.join(names)} are" if names else f"no card of {', '.join(cards) or 'none'} is"
            problems.append(f"interface {nic.name} ({way} {value}): {there} it")
        nics.append(nic)
    return model.with_nics(tuple(nics)), [*problems, *_limits(model, nics, cards)]


def _is(nic: Nic, link: dict[str, Any], around: list[Neighbour], root: str) -> bool:
    if nic.mac:
        return nic.mac == (permanent_mac(link, root) or str(link.get("address", "")).lower())
    if nic.pci_address:
        return pci_address(below(root, f"/sys/class/net/{link['ifname']}/device")) == nic.pci_address
    return bool(nic.switch_port) and any(peer.is_port(nic.switch_port, nic.switch) for peer in around)


def _limits(model: Model, nics: list[Nic], cards: dict[str, dict[str, Any]]) -> list[str]:
    """MTUs that the cards' drivers do not take."""
    found = []
    for nic in nics:
        most = cards.get(nic.link or "", {}).get("max_mtu") or 0
        if most and model.mtu(nic.name) > most:
            found.append(f"the MTU of {nic.name} is {model.mtu(nic.name)}; {nic.link} takes {most} at most")
    return found


def made_by_netplan(root: str = "/") -> dict[str, str]:
    """Virtual links that the running configuration of netplan declares, to whichever back end, with their definitions."""
    start, end = "10-netplan-", ".netdev"
    paths = glob.glob(below(root, f"/run/systemd/network/{start}*{end}"))
    found = {os.path.basename(path)[len(start):-len(end)]: read_text(path, "") or "" for path in paths}
    profiles = read_profiles(root, RUNNING, "netplan-*")
    return {**found, **{item.interface: item.definition for item in profiles if item.virtual and item.interface}}
