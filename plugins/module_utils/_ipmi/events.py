# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What states and events of sensors mean, by the tables that pyghmi holds (IPMI 2.0, tables 42-1 to 42-3)."""

from __future__ import annotations

from typing import Any, Optional

from .._domain.logs import Severity
from .sdr import Sensor

try:
    import pyghmi.constants as health
    from pyghmi.ipmi.private.constants import generic_type_offsets, sensor_type_codes, sensor_type_offsets
except ImportError:
    health = None
    generic_type_offsets: dict = {}
    sensor_type_codes: dict = {}
    sensor_type_offsets: dict = {}

THRESHOLD, SENSOR_SPECIFIC = 0x01, 0x6F
UNITS = {1: "°C", 2: "°F", 3: "K", 4: "V", 5: "A", 6: "W", 18: "RPM"}


def kind_name(kind: int) -> str:
    """Return the name of a sensor's type."""
    return sensor_type_codes.get(kind, f"sensor type 0x{kind:02X}")


def _severity(value: Any) -> Severity:
    """Return the severity of pyghmi's health, which is a set of bits."""
    if not isinstance(value, int) or value == health.Health.Ok:
        return Severity.OK
    return Severity.CRITICAL if value & (health.Health.Critical | health.Health.Failed) else Severity.WARNING


def meaning(kind: int, reading: int, offset: int, *, asserted: bool = True) -> tuple[str, Optional[Severity]]:
    """Return a state or an event in words and how bad it is; ``None`` where the maker alone knows."""
    table = sensor_type_offsets.get(kind, {}) if reading == SENSOR_SPECIFIC else generic_type_offsets.get(reading, {})
    entry = table.get(offset)
    if entry is None:
        return f"state {offset} of reading type 0x{reading:02X}", None
    if asserted:
        return str(entry.get("desc", "")), _severity(entry.get("severity"))
    return (str(entry.get("deassertion_desc") or f"{entry.get('desc', '')} deasserted"),
            _severity(entry.get("deassertion_severity", health.Health.Ok)))


def measured(sensor: Optional[Sensor], data: bytes) -> str:
    """Return what a threshold event says of reading and threshold (section 29.7), empty where it says nothing."""
    if sensor is None or not sensor.analog:
        return ""
    unit = "%" if sensor.percent else UNITS.get(sensor.unit, "")
    words = []
    for name, mask, index in (("reading", 0xC0, 1), ("threshold", 0x30, 2)):
        value = sensor.value(data[index]) if data[0] & mask == mask & 0x50 else None
        if value is not None:
            words.append(f"{name} {value:g} {unit}".rstrip())
    return ", ".join(words)
