# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of variable kind and length in records: texts in four codings (IPMI 2.0, section 43.15; FRU 1.0, section 13)."""

from __future__ import annotations

from typing import Optional

END_OF_FIELDS = 0xC1
BCD_PLUS = "0123456789 -.:,_"
ENGLISH = (0, 25)


def six_bits(data: bytes) -> str:
    """Return text of six bits a letter, four letters in three bytes."""
    bits = int.from_bytes(data, "little")
    return "".join(chr(0x20 + (bits >> 6 * index & 0x3F)) for index in range(len(data) * 8 // 6))


def decoded(kind: int, data: bytes, *, language: int = 25, binary: bool = True) -> Optional[str]:
    """Return a field as text, ``None`` for an empty one. ``kind`` is the upper two bits of its type/length byte.

    Kind 0 is binary in a FRU, Unicode in a sensor record. Ends that BMCs fill with zeroes or 0xFF are cut off.
    """
    if kind == 0:
        found = data.hex() if binary else data.decode("utf-8", "replace")
    elif kind == 1:
        found = "".join(BCD_PLUS[byte >> 4] + BCD_PLUS[byte & 0x0F] for byte in data)
    elif kind == 2:
        found = six_bits(data)
    else:
        data = data.rstrip(b"\x00\xff")
        found = data.decode("latin-1" if language in ENGLISH else "utf-16-le", "replace")
    return found.replace("\0", "").strip() or None


def fields(data: bytes, *, language: int = 25) -> list[Optional[str]]:
    """Return the fields that stand one after the other, up to the mark of the end or to the end of the data."""
    found: list[Optional[str]] = []
    offset = 0
    while offset < len(data) and data[offset] != END_OF_FIELDS:
        length = data[offset] & 0x3F
        found.append(decoded(data[offset] >> 6, data[offset + 1:offset + 1 + length], language=language))
        offset += 1 + length
    return found
