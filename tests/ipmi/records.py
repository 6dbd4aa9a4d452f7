# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records as BMCs hold them: sensor data records (IPMI 2.0, section 43) and FRU areas (FRU 1.0)."""

from __future__ import annotations

from typing import Sequence

from .wire import checksum

CELSIUS, VOLTS, WATTS, RPM = 1, 4, 6, 18
TEMPERATURE, VOLTAGE, FAN, INTRUSION, POWER_SUPPLY, OTHER = 0x01, 0x02, 0x04, 0x05, 0x08, 0x0B


def ten_bits(value: int) -> tuple[int, int]:
    """Return a number of ten bits in two's complement as its low byte and the two bits above."""
    return value & 0xFF, (value >> 2) & 0xC0


def full_sensor(number: int, name: str, *, kind: int = TEMPERATURE, unit: int = CELSIUS, entity: tuple = (3, 1),
                m: int = 1, b: int = 0, b_exponent: int = 0, exponent: int = 0, numbers: int = 0,
                linearization: int = 0, record: int = 0, percent: bool = False, reading: int = 1,
                owner: int = 0x20, lun: int = 0) -> bytes:
    """Return a full sensor record. ``numbers``: 0 unsigned, 1 and 2 one's and two's complement, 3 none."""
    low_m, high_m = ten_bits(m)
    low_b, high_b = ten_bits(b)
    body = bytes((owner, lun, number, *entity, 0x7F, 0x68, kind, reading)) + bytes.fromhex("000000003f3f")
    body += bytes((numbers << 6 | percent, unit, 0, linearization, low_m, high_m, low_b, high_b, 0,
                   (exponent & 0x0F) << 4 | b_exponent & 0x0F))
    body += bytes((7, 40, 90, 10, 127, 128, 0x70, 0x60, 0x50, 5, 4, 3, 1, 1, 0, 0, 0))
    body += bytes((0xC0 | len(name),)) + name.encode("latin-1")
    return record.to_bytes(2, "little") + bytes((0x51, 0x01, len(body))) + body


def compact_sensor(number: int, name: str, *, kind: int, reading: int = 0x6F, entity: tuple = (10, 1),
                   share: int = 1, record: int = 0) -> bytes:
    """Return a compact sensor record, for discrete sensors."""
    body = bytes((0x20, 0, number, *entity, 0x67, 0x40, kind, reading)) + bytes.fromhex("ff00ff00ff00")
    body += bytes((0xC0, 0, 0, share, 0, 0, 0, 0, 0, 0, 0)) + bytes((0xC0 | len(name),)) + name.encode()
    return record.to_bytes(2, "little") + bytes((0x51, 0x02, len(body))) + body


def fru_locator(fru: int, name: str, *, entity: tuple = (32, 1), kind: tuple = (0x10, 0), record: int = 0) -> bytes:
    """Return a FRU device locator. ``kind`` is the device's type and modifier."""
    body = bytes((0x20, fru, 0x80, 0, 0, *kind, *entity, 0)) + bytes((0xC0 | len(name),)) + name.encode()
    return record.to_bytes(2, "little") + bytes((0x51, 0x11, len(body))) + body


def typed(text: str) -> bytes:
    """Return a field of a FRU as text of eight bits a letter."""
    return bytes((0xC0 | len(text),)) + text.encode("latin-1") if text else b"\xc0"


def _area(head: bytes, fields: Sequence[str]) -> bytes:
    body = head[:1] + b"\0" + head[1:] + b"".join(map(typed, fields)) + b"\xc1"
    body += bytes(-(len(body) + 1) % 8)
    body = body[:1] + bytes(((len(body) + 1) // 8,)) + body[2:]
    return body + bytes((checksum(body),))


def fru(*, chassis: Sequence[str] = (), board: Sequence[str] = (), product: Sequence[str] = ()) -> bytes:
    """Return the data of a FRU.

    chassis: part number, serial number. board: manufacturer, name, serial number, part number. product: manufacturer,
    name, part number, version, serial number, asset tag.
    """
    areas = [_area(b"\x01\x17", chassis) if chassis else b"", _area(b"\x01\x19\x40\x0d\xc0", [*board, ""]) if board else
             b"", _area(b"\x01\x19", [*product, ""]) if product else b""]
    offsets, at = [], 8
    for area in areas:
        offsets.append(at // 8 if area else 0)
        at += len(area)
    head = bytes((1, 0, *offsets, 0, 0))
    return head + bytes((checksum(head),)) + b"".join(areas)
