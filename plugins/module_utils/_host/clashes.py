# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses that another host has as well, asked for on the wire as RFC 5227 (section 2.1.1) does.

IPv6 needs no questions of ours: the kernel asks by itself and marks an address that is taken.
"""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import struct
import time
from collections.abc import Iterator

from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import Model, Vlan
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_state import Seen

_ARP = 0x0806
_HEAD = struct.pack("!HHBB", 1, 0x0800, 6, 4)  # Ethernet, IPv4, and the lengths of their addresses
_NOBODY = b"\0" * 4
QUESTIONS, PAUSE = 3, 0.3  # seconds after each


def probe(mac: bytes, address: str) -> bytes:
    """The frame that asks who has an address, from one who has none."""
    target = ipaddress.IPv4Address(address).packed
    head = b"\xff" * 6 + mac + struct.pack("!H", _ARP)
    return head + _HEAD + struct.pack("!H", 1) + mac + _NOBODY + b"\0" * 6 + target


def owner(frame: bytes, address: str, own: set[bytes]) -> str | None:
    """The hardware address by which a frame says that another host has an address."""
    body = frame[14:42]
    if len(body) < 28 or body[:6] != _HEAD or body[14:18] != ipaddress.IPv4Address(address).packed:
        return None
    return None if body[8:14] in own else body[8:14].hex(":")


def ask(link: str, address: str, seen: Seen) -> str | None:
    """Ask on a link for an address, for about a second; who answers. This host's own links do not count."""
    macs = {name: bytes.fromhex(str(entry.get("address", "")).replace(":", "")) for name, entry in seen.links.items()
            if entry.get("link_type") == "ether"}
    own = set(macs.values())
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ARP)) as wire:
        wire.bind((link, _ARP))
        for _question in range(QUESTIONS):
            wire.send(probe(macs[link], address))
            for frame in _frames(wire, PAUSE):
                found = owner(frame, address, own)
                if found:
                    return found
    return None


def _frames(wire: socket.socket, seconds: float) -> Iterator[bytes]:
    """What comes in within some time."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([wire], [], [], left)[0]:
            yield wire.recv(2048)


def clashes(model: Model, seen: Seen, *, applied: bool) -> list[str]:
    """Addresses of the model that somebody else has, in words.

    Before the change only new addresses are asked for, on what carries the cards below today: none that are to be on a
    VLAN, which is not there yet. Once it is applied all are asked for, where they are.
    """
    found = []
    for item in model.ip:
        name = model.kernel_name(item.interface)
        for text in item.addresses:
            address = text.split("/")[0]
            if ":" in address:
                found += _refused(name, address, seen)
                continue
            places = ({name} if text in seen.addresses(name) else set()) if applied else _places(model, item.interface, text, seen)
            for link in sorted(place for place in places if seen.carrier(place)):
                answer = None
                with contextlib.suppress(OSError):  # a link that went away or down meanwhile: it has nobody to ask
                    answer = ask(link, address, seen)
                if answer:
                    found.append(f"the address {address} is taken: {answer} answers for it on {link}")
    return found


def _refused(link: str, address: str, seen: Seen) -> list[str]:
    entries = seen.links.get(link, {}).get("addr_info", [])
    failed = any(entry.get("local") == address and entry.get("dadfailed") for entry in entries)
    return [f"the address {address} of {link} is taken: the kernel found another host that has it"] if failed else []


def _places(model: Model, interface: str, text: str, seen: Seen) -> set[str]:
    """Where to ask for an address before the change."""
    under = [model.by_name[lower] for lower in model.under(interface)]
    if any(isinstance(link, Vlan) for link in under) or any(text in seen.addresses(link) for link in seen.links):
        return set()
    return {_top(model.kernel_name(link.name), seen) for link in under}


def _top(name: str, seen: Seen) -> str:
    """The bond, bridge or bridge of Open vSwitch that a card is in today; else itself."""
    for bridge, ports in seen.ovs_ports.items():
        if name in ports:
            return bridge
    master = seen.links.get(name, {}).get("master")
    return _top(master, seen) if master in seen.links else name
