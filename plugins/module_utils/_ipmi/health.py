# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health over IPMI: sensors by their type and the entity that they belong to (IPMI 2.0, tables 42-3 and 43-13)."""

from __future__ import annotations

from typing import Any, Iterable, Optional

from .._bmc.errors import BrokenAnswer
from .._bmc.interface import Driver, Health, Logs
from .._domain.health import summarise, summarise_log
from .._domain.inventory import row
from .._domain.units import worst
from .commands import GET_CHASSIS_STATUS, GET_POWER_READING
from .events import kind_name
from .fru import first_of
from .logs import LOG
from .sections import read_sections
from .sensors import Reading, Sensors

Json = dict[str, Any]
TEMPERATURE, VOLTAGE, FAN, INTRUSION, PROCESSOR, SUPPLY, POWER_UNIT, COOLING, MEMORY, DISK = (
    0x01, 0x02, 0x04, 0x05, 0x07, 0x08, 0x09, 0x0A, 0x0C, 0x0D)
REDUNDANCY = 0x0B
FAHRENHEIT, KELVIN, VOLTS, WATTS = 2, 3, 4, 6
SUPPLY_ENTITY = 0x0A
PRESENT = 0
CONTEXTS = {0x03: "cpu", 0x41: "cpu", 0x07: "system_board", 0x42: "system_board", 0x08: "memory", 0x20: "memory",
            0x0A: "power_supply", 0x1D: "fan", 0x37: "intake", 0x40: "intake", 0x27: "room", 0x04: "storage_device",
            0x1A: "storage_device", 0x0F: "backplane"}
GROUPS = {SUPPLY: "power_supplies", POWER_UNIT: "power_supplies", FAN: "fans", COOLING: "fans"}
# Chassis status (section 28.2): faults of the second and fourth byte, the intrusion's bit in the third of them.
POWER_FAULTS, OTHER_FAULTS, INTRUDED = 0x1A, 0x0C, 0x01
DCMI_POWER = b"\xdc\x01\x00\x00"
NEWEST = 50


def celsius(value: Optional[float], unit: int) -> Optional[float]:
    """Return a temperature in degrees Celsius."""
    if value is None:
        return None
    return round({FAHRENHEIT: (value - 32) / 1.8, KELVIN: value - 273.15}.get(unit, value), 2)


def health_of(readings: Iterable[Reading]) -> Optional[str]:
    """Return the worst of some readings."""
    return worst(reading.health for reading in readings)


class IpmiHealth(Health):
    """Health, section by section; each sensor is read once, whatever sections it serves."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._sensors = Sensors(driver)

    def read(self, sections: tuple[str, ...]) -> tuple[Json, list[Json]]:
        """Read the sensors anew."""
        self._sensors = Sensors(self._driver)
        return read_sections(sections, {
            "summary": self._summary, "temperatures": self._temperatures, "fans": self._fans,
            "power_supplies": self._supplies, "redundancy": self._redundancy, "log_summary": self._log})

    def _told(self, section: str, reading: Reading, convert: Any, **values: Any) -> Json:
        sensor = reading.sensor
        return row(section, name=sensor.name, health=reading.health, state=reading.state,
                   context=CONTEXTS.get(sensor.entity[0]), **self._sensors.limits(sensor, convert), **values)

    def _temperatures(self) -> list[Json]:
        """Return the sensors that tell degrees."""
        rows = []
        for reading in self._sensors.of(TEMPERATURE):
            unit = reading.sensor.unit
            if reading.sensor.analog:
                rows.append(self._told("temperatures", reading, lambda value, unit=unit: celsius(value, unit),
                                       reading_celsius=celsius(reading.value, unit)))
        return rows

    def _fans(self) -> list[Json]:
        """Return the fans that tell their speed, in revolutions a minute or in percent."""
        rows = []
        for reading in self._sensors.of(FAN):
            if reading.sensor.analog:
                key = "reading_percent" if reading.sensor.percent else "reading_rpm"
                rows.append(self._told("fans", reading, lambda value: value, **{key: reading.value}))
        return rows

    def _supplies(self) -> list[Json]:
        """Return the power supplies that are there: by their own sensor, or by what can be read of them."""
        places: dict[tuple[int, int], Json] = {}
        for reading in self._sensors.of(SUPPLY):
            if reading.sensor.analog or reading.sensor.reading == REDUNDANCY:
                continue
            if PRESENT not in reading.states and not reading.states and reading.state == "enabled":
                continue
            places.setdefault(reading.sensor.entity, row("power_supplies", name=reading.sensor.name,
                                                         health=reading.health, state=reading.state))
        for number in self._driver.sdr.frus:
            if number.entity[0] == SUPPLY_ENTITY and number.entity in places:
                places[number.entity].update(self._numbers(number.number))
        for reading in self._sensors.all():
            place = places.get(reading.sensor.entity)
            if place is not None and reading.sensor.analog:
                _measure(place, reading)
        return list(places.values())

    def _numbers(self, fru: int) -> Json:
        """Return maker, model and numbers of a part by its FRU."""
        areas = self._driver.fru.areas(fru)
        return {key: first_of(areas, ("product", name), ("board", name)) for key, name in
                (("manufacturer", "manufacturer"), ("model", "name"), ("part_number", "part_number"),
                 ("serial_number", "serial_number"))}

    def _redundancy(self) -> list[Json]:
        """Return the groups of parts that stand in for each other."""
        return [row("redundancy", kind=GROUPS.get(reading.sensor.kind, kind_name(reading.sensor.kind).lower()),
                    name=reading.sensor.name, health=reading.health, state=reading.state)
                for reading in self._sensors.all() if reading.sensor.reading == REDUNDANCY]

    def _summary(self) -> Json:
        """Return how the system and its parts are, on the whole."""
        status = self._driver.client.raw(GET_CHASSIS_STATUS)
        if len(status) < 3:
            raise BrokenAnswer(f"Get Chassis Status has {len(status)} bytes instead of 3")
        readings = self._sensors.all()
        faults = status[0] & POWER_FAULTS or status[2] & OTHER_FAULTS
        return summarise(
            system=health_of(readings), chassis="critical" if faults else "ok",
            processors=health_of(one for one in readings if one.sensor.kind == PROCESSOR),
            memory=health_of(one for one in readings if one.sensor.kind == MEMORY),
            storage=health_of(one for one in readings if one.sensor.kind == DISK),
            power_state="on" if status[0] & 1 else "off", power_watts=self._watts(readings),
            intrusion="hardware_intrusion" if status[2] & INTRUDED else "normal")

    def _watts(self, readings: list[Reading]) -> Optional[float]:
        """Return the power that the system takes: as DCMI tells it (section 6.6.1), else what its supplies take."""
        answer = self._driver.client.optional(GET_POWER_READING, DCMI_POWER)
        if answer and len(answer) >= 3 and int.from_bytes(answer[1:3], "little"):
            return int.from_bytes(answer[1:3], "little")
        taken = [one.value for one in readings if one.sensor.entity[0] == SUPPLY_ENTITY and one.sensor.analog
                 and one.sensor.unit == WATTS and one.value and not _output(one)]
        return round(sum(taken), 2) if taken else None

    def _log(self) -> Json:
        """Return how many of the newest entries of the log are how bad."""
        logs = self._driver.get(Logs)
        return summarise_log(LOG["id"], logs.entries(LOG["id"], limit=NEWEST), total=logs.count(LOG["id"]))


def _output(reading: Reading) -> bool:
    return "out" in reading.sensor.name.lower()


def _measure(place: Json, reading: Reading) -> None:
    """Put a power supply's reading where it belongs; what comes out of it has that in its name."""
    if reading.sensor.unit == WATTS:
        key = "output_watts" if _output(reading) else "input_watts"
    elif reading.sensor.unit == VOLTS and not _output(reading):
        key = "input_volts"
    else:
        return
    if place[key] is None:
        place[key] = reading.value
