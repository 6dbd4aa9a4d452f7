# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sensor data records: which sensors and FRUs a BMC has, and how a reading becomes a value (IPMI 2.0, sections 33, 43)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Callable, Iterator, Optional, Union

from .._bmc.errors import BmcError, BrokenAnswer
from .client import Client
from .commands import GET_SDR, RESERVE_SDR
from .completion import completion_code
from .fields import decoded

FULL, COMPACT, FRU_LOCATOR = 0x01, 0x02, 0x11
LAST = 0xFFFF
MOST_RECORDS = 2000
CHUNK, SMALL_CHUNK = 32, 16
CANCELLED, TOO_LONG = 0xC5, 0xCA
# Linearizations by number (table 43-1, byte 24); 0 is none, those from 0x70 on need factors for each reading.
LINEARIZATIONS: dict[int, Callable[[float], float]] = {
    0: lambda x: x, 1: math.log, 2: math.log10, 3: math.log2, 4: math.exp, 5: lambda x: 10 ** x, 6: lambda x: 2 ** x,
    7: lambda x: 1 / x, 8: lambda x: x ** 2, 9: lambda x: x ** 3, 10: math.sqrt, 11: lambda x: x ** (1 / 3)}
INVERTED = 7
NOT_LINEAR = 0x70


def signed(value: int, bits: int) -> int:
    """Return a number in two's complement."""
    return value - (1 << bits) if value >> bits - 1 & 1 else value


@dataclass(frozen=True)
class Factors:
    """y = L[(m * x + b * 10^b_exponent) * 10^exponent] (section 36.3)."""

    m: int
    b: int
    b_exponent: int
    exponent: int

    @classmethod
    def parse(cls, data: bytes) -> "Factors":
        """Read the six bytes that a record, and Get Sensor Reading Factors, give."""
        return cls(m=signed(data[0] | (data[1] & 0xC0) << 2, 10), b=signed(data[2] | (data[3] & 0xC0) << 2, 10),
                   b_exponent=signed(data[5] & 0x0F, 4), exponent=signed(data[5] >> 4, 4))


@dataclass(frozen=True)
class Sensor:
    """One sensor. ``kind`` is its type (table 42-3), ``reading`` what its readings mean (table 42-1).

    ``numbers`` says how a reading is coded: 0 unsigned, 1 one's and 2 two's complement, 3 not a number.
    """

    number: int
    name: str
    owner: int
    lun: int
    entity: tuple[int, int]
    kind: int
    reading: int
    numbers: int = 3
    unit: int = 0
    percent: bool = False
    linearization: int = 0
    factors: Optional[Factors] = None

    @property
    def analog(self) -> bool:
        """Tell whether it gives numbers."""
        return self.numbers != 3 and self.factors is not None

    def value(self, raw: int, factors: Optional[Factors] = None) -> Optional[float]:
        """Return the value that a reading (one byte) means, ``None`` where the formula has none for it."""
        if self.numbers == 1:
            raw = raw - 255 if raw & 0x80 else raw
        elif self.numbers == 2:
            raw = signed(raw, 8)
        used = factors or self.factors
        linear = (used.m * raw + used.b * 10 ** used.b_exponent) * 10.0 ** used.exponent
        try:
            found = LINEARIZATIONS.get(self.linearization, LINEARIZATIONS[0])(linear)
        except (ValueError, ZeroDivisionError, OverflowError):
            return None
        if isinstance(found, complex) or not math.isfinite(found):
            return None
        return round(found, 4)


@dataclass(frozen=True)
class FruLocator:
    """One FRU behind the BMC: its number, name, and the entity that it describes."""

    number: int
    name: str
    entity: tuple[int, int]
    kind: tuple[int, int]


Record = Union[Sensor, FruLocator]


def _name(data: bytes) -> str:
    return decoded(data[0] >> 6, data[1:1 + (data[0] & 0x1F)], binary=False) or ""


def _sensor(body: bytes, **more: object) -> Sensor:
    """Read what full and compact records have in common; ``body`` begins at the sensor's owner."""
    return Sensor(number=body[2], owner=body[0], lun=body[1] & 3, entity=(body[3], body[4] & 0x7F), kind=body[7],
                  reading=body[8], unit=body[16], percent=bool(body[15] & 1), **more)


def _full(body: bytes) -> list[Record]:
    return [_sensor(body, name=_name(body[42:]), numbers=body[15] >> 6, linearization=body[18] & 0x7F,
                    factors=Factors.parse(body[19:25]))]


def _compact(body: bytes) -> list[Record]:
    """A compact record may stand for several sensors alike (section 43.2, record sharing)."""
    count, name = max(1, body[18] & 0x0F), _name(body[26:])
    first = ord("A") if body[18] >> 4 & 3 == 1 else 0
    found = []
    for index in range(count):
        shared = bytearray(body)
        shared[2] = body[2] + index & 0xFF
        if body[19] & 0x80:
            shared[4] = body[4] + index & 0x7F
        offset = (body[19] & 0x7F) + index
        suffix = (chr(first + offset) if first else str(offset)) if count > 1 else ""
        found.append(_sensor(bytes(shared), name=name + suffix))
    return found


def _locator(body: bytes) -> list[Record]:
    """A FRU device locator; only logical FRUs of the BMC itself can be read by their number."""
    if not body[2] & 0x80 or body[0] != 0x20:
        return []
    return [FruLocator(number=body[1], name=_name(body[10:]), entity=(body[7], body[8] & 0x7F), kind=(body[5], body[6]))]


READERS: dict[int, Callable[[bytes], list[Record]]] = {FULL: _full, COMPACT: _compact, FRU_LOCATOR: _locator}


def parse(record: bytes) -> list[Record]:
    """Return what a record describes; nothing for kinds that are not used, and for broken ones."""
    if len(record) < 6 or record[3] not in READERS:
        return []
    try:
        return READERS[record[3]](record[5:])
    except (IndexError, ValueError):
        return []


class SdrRepository:
    """The records of a BMC, read once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._chunk = CHUNK
        self._reservation = bytes(2)

    @cached_property
    def records(self) -> list[Record]:
        """Return what all records describe."""
        return [found for record in self._all() for found in parse(record)]

    @property
    def sensors(self) -> list[Sensor]:
        """Return the sensors that the BMC itself has."""
        return [record for record in self.records if isinstance(record, Sensor)]

    @property
    def frus(self) -> list[FruLocator]:
        """Return the FRUs behind the BMC."""
        return [record for record in self.records if isinstance(record, FruLocator)]

    def _all(self) -> Iterator[bytes]:
        """Read record by record; each names the next. A chain that comes back to a record ends there."""
        following, seen = 0, set()
        while following != LAST and following not in seen and len(seen) < MOST_RECORDS:
            seen.add(following)
            following, record = self._record(following)
            yield record

    def _record(self, number: int) -> tuple[int, bytes]:
        """Return the number of the next record, and this one, read in parts (section 33.12)."""
        following, data = self._part(number, 0, 5)
        if len(data) < 5:
            raise BrokenAnswer(f"the sensor data record {number} has {len(data)} bytes")
        size = 5 + data[4]
        while len(data) < size:
            unused, part = self._part(number, len(data), min(self._chunk, size - len(data)))
            if not part:
                break
            data += part
        return following, data

    def _part(self, number: int, offset: int, count: int) -> tuple[int, bytes]:
        """Read a part; a reservation that was cancelled is made anew, a part that is too long made smaller."""
        for unused in range(5):
            try:
                answer = self._client.raw(GET_SDR, self._reservation + number.to_bytes(2, "little")
                                          + bytes((offset, count)))
            except BmcError as error:
                code = completion_code(error)
                if code == CANCELLED:
                    self._reservation = self._client.raw(RESERVE_SDR)[:2].ljust(2, b"\0")
                elif code in (TOO_LONG, 0xC8, 0xFF) and count > SMALL_CHUNK:
                    count = self._chunk = SMALL_CHUNK
                else:
                    raise
                continue
            if len(answer) < 2:
                raise BrokenAnswer(f"Get SDR has {len(answer)} bytes")
            return int.from_bytes(answer[:2], "little"), answer[2:2 + count]
        raise BrokenAnswer(f"the sensor data record {number} cannot be read: the BMC cancels every reservation",
                           remedy="Another client is at work on this BMC: try again.")
