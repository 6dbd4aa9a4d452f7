# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a switch says of itself and of the port, out of a frame of LLDP (IEEE 802.1AB, clause 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_CHASSIS, _PORT, _PORT_DESCRIPTION, _SYSTEM_NAME = 1, 2, 4, 5
_MAC_SUBTYPES = {_CHASSIS: 4, _PORT: 3}
_HEADER = 14  # bytes of Ethernet in front


@dataclass(frozen=True)
class Neighbour:
    """The words by which a switch and its port are known; a port often has two."""

    switches: tuple[str, ...]
    ports: tuple[str, ...]

    def is_port(self, port: str, switch: str | None) -> bool:
        """Whether this is the port that is meant; the case of letters is not told apart."""
        names = {name.lower() for name in self.switches}
        return port.lower() in {name.lower() for name in self.ports} and (switch is None or switch.lower() in names)


def parse_frame(frame: bytes) -> Neighbour:
    """Read a whole frame. What is cut off or strange ends the reading, without losing what came before."""
    found: dict[int, str] = {}
    rest = frame[_HEADER:]
    while len(rest) >= 2:
        kind, length = rest[0] >> 1, (rest[0] & 1) << 8 | rest[1]
        value, rest = rest[2:2 + length], rest[2 + length:]
        if kind == 0 or len(value) < length:
            break
        found.setdefault(kind, _text(kind, value))
    return Neighbour(
        switches=tuple(found[kind] for kind in (_SYSTEM_NAME, _CHASSIS) if found.get(kind)),
        ports=tuple(found[kind] for kind in (_PORT, _PORT_DESCRIPTION) if found.get(kind)),
    )


def _text(kind: int, value: bytes) -> str:
    if kind not in _MAC_SUBTYPES:
        return value.decode("utf-8", "replace").strip()
    subtype, value = value[:1], value[1:]
    if subtype == bytes([_MAC_SUBTYPES[kind]]):
        return ":".join(f"{byte:02x}" for byte in value)
    return value.decode("utf-8", "replace").strip()


def parse_frames(data: bytes) -> list[Neighbour]:
    """What systemd-networkd keeps of a link: each frame after its length (8 bytes, the lowest first)."""
    found = []
    while len(data) > 8:
        length = int.from_bytes(data[:8], "little")
        found.append(parse_frame(data[8:8 + length]))
        data = data[8 + length:]
    return found


def parse_lldpctl(answer: dict[str, Any]) -> dict[str, list[Neighbour]]:
    """Neighbours by link, out of `lldpctl -f json0` (the form of lldpd in which everything is a list)."""
    found: dict[str, list[Neighbour]] = {}
    for part in answer.get("lldp") or ():
        for item in part.get("interface") or ():
            switches = [_value(chassis, key) for chassis in item.get("chassis") or () for key in ("name", "id")]
            ports = [_value(port, key) for port in item.get("port") or () for key in ("id", "descr")]
            neighbour = Neighbour(tuple(filter(None, switches)), tuple(filter(None, ports)))
            found.setdefault(item.get("name", ""), []).append(neighbour)
    return found


def parse_networkctl(answer: dict[str, Any]) -> dict[str, list[Neighbour]]:
    """Neighbours by link, out of `networkctl lldp --json=short`."""
    found: dict[str, list[Neighbour]] = {}
    for link in answer.get("Neighbors") or ():
        for item in link.get("Neighbors") or ():
            switches = tuple(filter(None, (item.get("SystemName"), item.get("ChassisID"))))
            ports = tuple(filter(None, (item.get("PortID"), item.get("PortDescription"))))
            found.setdefault(link.get("InterfaceName", ""), []).append(Neighbour(switches, ports))
    return found


def _value(item: dict[str, Any], key: str) -> str | None:
    return next((entry.get("value") for entry in item.get(key) or ()), None)
