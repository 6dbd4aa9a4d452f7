# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sensors of a BMC read (IPMI 2.0, sections 35.8, 35.14 and 36.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from .._bmc.errors import BmcError, BrokenAnswer
from .._bmc.interface import Driver
from .._domain.units import worst
from .commands import GET_READING_FACTORS, GET_SENSOR_READING, GET_SENSOR_THRESHOLDS
from .completion import completion_code
from .events import THRESHOLD, meaning
from .sdr import NOT_LINEAR, Factors, Sensor

Json = dict[str, Any]
SCANNING, UNAVAILABLE = 0x40, 0x20
BMC = 0x20
# Bits of a threshold sensor's state: below or above the non-critical, critical and non-recoverable limits.
WARNING_BITS, CRITICAL_BITS = 0x09, 0x36
# The limits of Get Sensor Thresholds by the bit that says they can be read, which also is their place.
LIMITS = {"lower_warning": 0, "lower_critical": 1, "upper_warning": 3, "upper_critical": 4, "upper_fatal": 5}


@dataclass(frozen=True)
class Reading:
    """What one sensor reads: its value where it gives numbers, the states that hold, how bad they are, in words."""

    sensor: Sensor
    value: Optional[float] = None
    states: frozenset[int] = frozenset()
    health: Optional[str] = None
    state: str = "enabled"


class Sensors:
    """The sensors that the BMC itself has, each read once."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._read: dict[Sensor, Reading] = {}

    def all(self) -> list[Reading]:
        """Return the readings of all sensors; those of other controllers are not the BMC's to read."""
        return [self.read(sensor) for sensor in self._driver.sdr.sensors if sensor.owner == BMC]

    def of(self, *kinds: int) -> list[Reading]:
        """Return the readings of the sensors of some types."""
        return [self.read(sensor) for sensor in self._driver.sdr.sensors if sensor.owner == BMC and sensor.kind in kinds]

    def read(self, sensor: Sensor) -> Reading:
        """Return the reading of a sensor; one that the BMC refuses to read is unavailable."""
        if sensor not in self._read:
            self._read[sensor] = self._ask(sensor)
        return self._read[sensor]

    def _ask(self, sensor: Sensor) -> Reading:
        try:
            answer = self._driver.client.raw(GET_SENSOR_READING, bytes((sensor.number,)), lun=sensor.lun)
        except BmcError as error:
            if completion_code(error) is None:
                raise
            return Reading(sensor, state="unavailable_offline")
        if len(answer) < 2:
            raise BrokenAnswer(f"the reading of the sensor {sensor.name} has {len(answer)} bytes")
        if answer[1] & UNAVAILABLE or not answer[1] & SCANNING:
            return Reading(sensor, state="unavailable_offline" if answer[1] & UNAVAILABLE else "disabled")
        bits = answer[2] if len(answer) > 2 else 0
        if sensor.reading == THRESHOLD:
            health = "critical" if bits & CRITICAL_BITS else "warning" if bits & WARNING_BITS else "ok"
            return Reading(sensor, self._value(sensor, answer[0]), health=health)
        bits |= (answer[3] & 0x7F) << 8 if len(answer) > 3 else 0
        states = frozenset(offset for offset in range(15) if bits >> offset & 1)
        severities = [meaning(sensor.kind, sensor.reading, offset)[1] for offset in states]
        return Reading(sensor, states=states, health=worst(
            severity.value for severity in severities if severity) or "ok",
            value=self._value(sensor, answer[0]) if sensor.analog else None)

    def _value(self, sensor: Sensor, raw: int) -> Optional[float]:
        """Return the value of a reading; sensors that are not linear have factors for each reading."""
        if not sensor.analog:
            return None
        if sensor.linearization < NOT_LINEAR:
            return sensor.value(raw)
        answer = self._driver.client.optional(GET_READING_FACTORS, bytes((sensor.number, raw)))
        return sensor.value(raw, Factors.parse(answer[1:7])) if answer and len(answer) >= 7 else None

    def limits(self, sensor: Sensor, convert: Any) -> Json:
        """Return the limits that can be read, each given to ``convert`` first."""
        answer = self._driver.client.optional(GET_SENSOR_THRESHOLDS, bytes((sensor.number,))) or b""
        if len(answer) < 7 or not sensor.analog:
            return {}
        return {name: convert(self._value(sensor, answer[1 + bit])) for name, bit in LIMITS.items()
                if answer[0] >> bit & 1}
