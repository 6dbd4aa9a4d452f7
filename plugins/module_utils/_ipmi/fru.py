# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Field replaceable units: who made a part, and its numbers (IPMI 2.0, section 34; FRU Information Storage 1.0)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Optional

from .._bmc.errors import BmcError, BrokenAnswer, Rejected
from .client import Client
from .commands import GET_FRU_INFO, READ_FRU_DATA
from .completion import completion_code
from .fields import fields

Json = dict[str, Any]
# Areas by the index of their offset in the common header: bytes before the fields, where the language stands, fields.
AREAS = {
    "chassis": (2, 3, None, ("part_number", "serial_number")),
    "board": (3, 6, 2, ("manufacturer", "name", "serial_number", "part_number")),
    "product": (4, 3, 2, ("manufacturer", "name", "part_number", "version", "serial_number", "asset_tag")),
}
# Bytes asked for at once: first what nearly all take, then less.
CHUNKS = (224, 64, 16, 8)
LARGEST = 4096
TOO_LONG = (0xC7, 0xC8, 0xC9, 0xCA, 0xFF)


def parse(data: bytes) -> Json:
    """Return the areas of a FRU, each a dictionary of its fields; those that are broken or absent are left out."""
    if len(data) < 8 or data[0] & 0x0F != 1:
        return {}
    found: Json = {}
    for area, (index, start, language_at, names) in AREAS.items():
        offset = data[index] * 8
        if not offset or offset + start >= len(data) or data[offset] & 0x0F != 1:
            continue
        end = offset + data[offset + 1] * 8
        language = 25 if language_at is None else data[offset + language_at]
        values = fields(data[offset + start:end - 1], language=language)
        known = {name: value for name, value in zip(names, values) if value is not None}
        if known:
            found[area] = known
    return found


def first_of(fru: Json, *paths: tuple[str, str]) -> Optional[str]:
    """Return the first field that is known among ``(area, field)``."""
    for area, name in paths:
        value = fru.get(area, {}).get(name)
        if value is not None:
            return value
    return None


class FruReader:
    """Reads FRUs by their number, each once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._read: dict[int, Json] = {}

    @cached_property
    def main(self) -> Json:
        """Return the areas of the server's own FRU, number 0; empty where it has none."""
        return self.areas(0)

    def areas(self, number: int) -> Json:
        """Return the areas of a FRU, empty where there is none."""
        if number not in self._read:
            self._read[number] = parse(self.data(number))
        return self._read[number]

    def data(self, number: int) -> bytes:
        """Return the bytes of a FRU, none where it is not there."""
        try:
            answer = self._client.raw(GET_FRU_INFO, bytes((number,)))
        except BmcError as error:
            if completion_code(error) is None:
                raise
            return b""
        if len(answer) < 3:
            raise BrokenAnswer(f"Get FRU Inventory Area Info has {len(answer)} bytes instead of 3")
        size, words = int.from_bytes(answer[:2], "little"), answer[2] & 1
        return self._read_all(number, min(size, LARGEST), words=bool(words))

    def _read_all(self, number: int, size: int, *, words: bool) -> bytes:
        """Read from the start on, in parts as large as the BMC gives."""
        data, chunks = b"", list(CHUNKS)
        while len(data) < size:
            try:
                part = self._part(number, len(data), min(chunks[0], size - len(data)), words=words)
            except Rejected as error:
                if completion_code(error) not in TOO_LONG or len(chunks) == 1:
                    if data:
                        break  # what was read so far may hold all areas
                    return b""
                del chunks[0]
                continue
            if not part:
                break
            data += part
        return data

    def _part(self, number: int, offset: int, count: int, *, words: bool) -> bytes:
        """Read a part; a FRU that is counted in words takes offsets and counts in words."""
        unit = 2 if words else 1
        answer = self._client.raw(READ_FRU_DATA, bytes((number,)) + (offset // unit).to_bytes(2, "little")
                                  + bytes((max(1, count // unit),)))
        return answer[1:1 + answer[0] * unit] if answer else b""
