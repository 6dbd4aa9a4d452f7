# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a BMC's values mean: any value in, plain data in one unit out, ``None`` for what says nothing.

No function here raises, whatever it is given.
"""

from __future__ import annotations

import math
import re
from typing import Any, Optional

KIB, MIB, GIB = 1024, 1024 ** 2, 1024 ** 3
# What firmware writes where nobody filled anything in.
PLACEHOLDERS = frozenset({
    "n/a", "na", "none", "null", "nil", "not available", "not specified", "not applicable", "unknown", "undefined",
    "default string", "to be filled by o.e.m.", "to be filled by oem", "system serial number", "system product name",
    "system manufacturer", "chassis serial number", "base board serial number", "no dimm", "unavailable", "-", "--",
    "empty", "no asset tag", "not present", "xxxxxxxx", "00000000", "0xffffffff"})
LONGEST_TEXT = 4096
_ONE_WORD = re.compile("NVMe|PCIe|iSCSI|InfiniBand|FibreChannel")
_HEALTH = {"ok": "ok", "warning": "warning", "critical": "critical"}
_LINK = {"linkup": "up", "up": "up", "linkdown": "down", "down": "down", "nolink": "down", "starting": "down",
         "training": "down"}


def text(value: Any) -> Optional[str]:
    """Return a text without the blanks around it; ``None`` for empty ones and the placeholders of firmware."""
    if not isinstance(value, str):
        return None
    clean = "".join(letter for letter in value[:LONGEST_TEXT] if letter >= " " or letter in "\t\n")
    clean = clean.encode("utf-8", "replace").decode("utf-8").strip()
    return None if not clean or clean.lower() in PLACEHOLDERS else clean


def identifier(value: Any) -> Optional[str]:
    """Return an id or a name as text; numbers are taken too, placeholders are kept: they name something here."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10 ** 18 else None
    if not isinstance(value, str):
        return None
    return value[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8").strip() or None


def number(value: Any) -> Optional[float]:
    """Return a finite number; texts that are one are taken, truth values are not."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(found) or abs(found) > 1e18:
        return None
    return int(found) if found == int(found) else found


def integer(value: Any) -> Optional[int]:
    """Return a whole number, not below zero; exact where the value is one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < 2 ** 63 else None
    found = number(value)
    return int(round(found)) if found is not None and found >= 0 else None


def positive(value: Any) -> Optional[int]:
    """Return a whole number above zero; a zero stands for what the BMC does not know."""
    return integer(value) or None


def boolean(value: Any) -> Optional[bool]:
    """Return a truth value, ``None`` for anything else."""
    return value if isinstance(value, bool) else None


def scaled(factor: int) -> Any:
    """Return a conversion of a number of units of ``factor`` to a whole number, ``None`` for zero and nonsense."""
    def convert(value: Any) -> Optional[int]:
        if isinstance(value, int) and not isinstance(value, bool):
            found = value * factor
            return found if 0 < found < 2 ** 63 else None
        plain = number(value)
        return int(round(plain * factor)) if plain is not None and 0 < plain * factor < 2 ** 63 else None
    return convert


mib, gib, gbps = scaled(MIB), scaled(GIB), scaled(1000)


def mac(value: Any) -> Optional[str]:
    """Return a MAC address as six pairs in lower case with colons; ``None`` for others, zeroes and broadcasts."""
    if not isinstance(value, str):
        return None
    digits = re.sub(r"[:.\-\s]", "", value).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits) or digits in ("0" * 12, "f" * 12):
        return None
    return ":".join(digits[index:index + 2] for index in range(0, 12, 2))


def uuid(value: Any) -> Optional[str]:
    """Return a UUID in lower case with its dashes; ``None`` where it is none, or all alike."""
    if not isinstance(value, str):
        return None
    digits = value.strip().strip("{}").replace("-", "").lower()
    if not re.fullmatch(r"[0-9a-f]{32}", digits) or len(set(digits)) == 1:
        return None
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def snake(value: Any) -> Optional[str]:
    """Return a word of the standard in the collection's own case: ``StandbyOffline`` is ``standby_offline``."""
    plain = text(value)
    if plain is None:
        return None
    plain = _ONE_WORD.sub(lambda word: word[0].capitalize(), plain)
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    return re.sub(r"[^A-Za-z0-9]+", "_", parted).strip("_").lower() or None


def health(value: Any) -> Optional[str]:
    """Return ``ok``, ``warning`` or ``critical``, ``None`` for anything else."""
    return _HEALTH.get(value.strip().lower()) if isinstance(value, str) else None


def worst(values: Any) -> Optional[str]:
    """Return the worst of several healths, ``None`` where none is known."""
    known = [value for value in values if value in _HEALTH]
    return max(known, key=list(_HEALTH).index) if known else None


def link(value: Any) -> Optional[str]:
    """Return ``up`` or ``down`` for the state of a link, ``None`` where it is not known."""
    return _LINK.get(value.strip().lower()) if isinstance(value, str) else None


def wwn(value: Any) -> Optional[str]:
    """Return a durable name (NAA, EUI, a WWN) as hexadecimal digits in lower case; ``None`` where it is none."""
    plain = text(value)
    if plain is None:
        return None
    digits = re.sub(r"^(0x|naa\.|eui\.|wwn-0x|t10\.)|[:\-.\s]", "", plain.lower())
    return digits if re.fullmatch(r"[0-9a-f]{16,32}", digits) and len(set(digits)) > 1 else None


def pci_id(value: Any) -> Optional[str]:
    """Return an identifier of PCI as ``0x10de``, whatever its case; numbers are taken too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"0x{value:04x}" if 0 <= value <= 0xFFFF else None
    plain = text(value)
    found = re.fullmatch(r"(?:0x)?([0-9a-f]{1,4})h?", plain.lower()) if plain else None
    return f"0x{int(found[1], 16):04x}" if found else None
