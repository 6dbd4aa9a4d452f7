# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health over Redfish: Thermal and Power where a chassis has them, else ThermalSubsystem, PowerSubsystem and Sensors.

The older resources hold all readings with their limits in one document each; the newer ones need one for each part.
"""

from __future__ import annotations

from typing import Any, Iterator, Optional

from .._bmc.interface import Driver, Health, Logs
from .._domain.health import event_log, summarise, summarise_log
from .._domain.inventory import fill, row
from .._domain.units import health, identifier, integer, number, positive, snake, text, worst
from .client import Json, link_of
from .fields import PART, STATUS, power_state
from .hardware_storage import storages
from .reading import Reader, absent, extract, first, read_sections, values_at


def _mode(value: Any) -> Optional[str]:
    """Return a mode of redundancy; older services write ``N+m`` where newer ones write ``NPlusM``."""
    return snake(value.replace("+", " Plus ")) if isinstance(value, str) else None


LIMITS = {"lower_critical": (number, "LowerThresholdCritical", "Thresholds/LowerCritical/Reading"),
          "lower_warning": (number, "LowerThresholdNonCritical", "Thresholds/LowerCaution/Reading"),
          "upper_warning": (number, "UpperThresholdNonCritical", "Thresholds/UpperCaution/Reading"),
          "upper_critical": (number, "UpperThresholdCritical", "Thresholds/UpperCritical/Reading"),
          "upper_fatal": (number, "UpperThresholdFatal", "Thresholds/UpperFatal/Reading")}
NAMES = ("Name", "FanName", "DeviceName")
READING = {**STATUS, **LIMITS, "name": (text, *NAMES, "Id", "MemberId"),
           "context": (snake, "PhysicalContext")}
TEMPERATURE = {**READING, "reading_celsius": (number, "ReadingCelsius", "Reading")}
FAN = {**READING, "reading_rpm": (number, "ReadingRPM", "SpeedPercent/SpeedRPM"),
       "reading_percent": (number, "SpeedPercent/Reading")}
SUPPLY = {
    **PART, **STATUS, "name": (text, "Name", "Id", "MemberId"), "firmware_version": (text, "FirmwareVersion"),
    "type": (snake, "PowerSupplyType"), "capacity_watts": (number, "PowerCapacityWatts"),
    "input_watts": (number, "PowerInputWatts", "InputPowerWatts/Reading"),
    "output_watts": (number, "PowerOutputWatts", "LastPowerOutputWatts", "OutputPowerWatts/Reading"),
    "input_volts": (number, "LineInputVoltage", "InputVoltage/Reading")}
METRICS = {key: SUPPLY[key] for key in ("input_watts", "output_watts", "input_volts")}
REDUNDANCY = {**STATUS, "name": (text, "Name"), "mode": (_mode, "Mode", "RedundancyType"),
              "min_needed": (integer, "MinNumNeeded", "MinNeededInGroup"),
              "max_supported": (integer, "MaxNumSupported", "MaxSupportedInGroup")}
ROLLUP = (health, "Status/HealthRollup", "Status/Health")
WATTS = ("PowerControl/*/PowerConsumedWatts", "PowerWatts/Reading", "PowerControl/*/PowerMetrics/AverageConsumedWatts")
# Units of Sensor (UCUM) and of older firmware, by the section that they belong to.
SENSOR_TYPES = {"temperature": "temperatures", "rotational": "fans"}
SENSOR_UNITS = {"cel": "temperatures", "c": "temperatures", "rpm": "fans", "{rev}/min": "fans"}
NEWEST = 50


class Enclosure:
    """The documents of one chassis that tell of its health, read when they are asked for."""

    def __init__(self, reader: Reader, chassis: Json) -> None:
        self.reader = reader
        self.chassis = chassis
        self.name = identifier(chassis.get("Id")) or text(chassis.get("Name"))

    def below(self, *keys: str) -> Json:
        """Return the document that a path of links leads to; empty where a step is missing."""
        document = self.chassis
        for key in keys:
            document = self.reader.document(link_of(document.get(key)))
        return document

    def members(self, *keys: str) -> list[Json]:
        """Return the documents of the collection that a path of links leads to."""
        holder = self.below(*keys[:-1])
        return [document for _link, document in self.reader.members(link_of(holder.get(keys[-1])))]

    def listed(self, key: str, *path: str) -> list[Json]:
        """Return the objects in a list of a document."""
        return self.reader.objects(self.below(*path), key)

    def metrics(self) -> list[Json]:
        """Return the temperatures of ThermalMetrics, each with what its sensor tells besides."""
        readings = self.listed("TemperatureReadingsCelsius", "ThermalSubsystem", "ThermalMetrics")
        links = [link_of({"@odata.id": entry.get("DataSourceUri")}) for entry in readings]
        known = dict(self.reader.documents(filter(None, links)))
        return [{**known.get(link, {}), **entry} for link, entry in zip(links, readings)]

    def sensors(self, section: str) -> list[Json]:
        """Return the sensors of a section; only those of a chassis that has no Thermal, which holds them all."""
        if link_of(self.chassis.get("Thermal")):
            return []
        return [entry for entry in self.members("Sensors") if _section_of(entry) == section]


def _section_of(sensor: Json) -> Optional[str]:
    """Return the section that a sensor belongs to."""
    kind, unit = sensor.get("ReadingType"), sensor.get("ReadingUnits")
    found = SENSOR_TYPES.get(kind.lower()) if isinstance(kind, str) else None
    return found or (SENSOR_UNITS.get(unit.lower()) if isinstance(unit, str) and not isinstance(kind, str) else None)


def _enclosures(reader: Reader) -> list[Enclosure]:
    return [Enclosure(reader, document) for _link, document in reader.chassis()]


def _told(section: str, table: Json, documents: list[Json], chassis: Optional[str]) -> Iterator[Json]:
    """Yield rows of the documents of parts that are there and have a name or a reading."""
    for document in documents:
        known = extract(document, table)
        if not absent(document) and (first(document, text, *NAMES) or any(
                known[key] is not None for key in known if key not in ("name", "context"))):
            yield row(section, **known, chassis=chassis)


def read_temperatures(reader: Reader) -> list[Json]:
    """Return the temperatures."""
    rows = []
    for place in _enclosures(reader):
        found = place.listed("Temperatures", "Thermal") or place.metrics() or place.sensors("temperatures")
        rows += _told("temperatures", TEMPERATURE, found, place.name)
    return rows


def read_fans(reader: Reader) -> list[Json]:
    """Return the fans, with their speed in revolutions a minute or in percent, as the BMC tells it."""
    rows = []
    for place in _enclosures(reader):
        found = (place.listed("Fans", "Thermal") or place.members("ThermalSubsystem", "Fans") or place.sensors("fans"))
        for document in found:
            for entry in _told("fans", FAN, [document], place.name):
                percent = str(document.get("ReadingUnits")).lower() in ("percent", "%")
                key = "reading_percent" if percent else "reading_rpm"
                entry[key] = first(document, number, "Reading") if entry[key] is None else entry[key]
                rows.append(entry)
    return rows


def read_supplies(reader: Reader) -> list[Json]:
    """Return the power supplies that are there."""
    rows = []
    for place in _enclosures(reader):
        older = place.listed("PowerSupplies", "Power")
        if older:
            rows += _told("power_supplies", SUPPLY, older, place.name)
            continue
        for document in place.members("PowerSubsystem", "PowerSupplies"):
            metrics = {} if absent(document) else reader.document(link_of(document.get("Metrics")))
            for entry in _told("power_supplies", SUPPLY, [document], place.name):
                fill(entry, extract(metrics, METRICS), keys=METRICS)
                rows.append(entry)
    return rows


def read_redundancy(reader: Reader) -> list[Json]:
    """Return the groups of power supplies and fans that stand in for each other."""
    rows = []
    for place in _enclosures(reader):
        for kind, older, newer, key in (("power_supplies", "Power", "PowerSubsystem", "PowerSupplyRedundancy"),
                                        ("fans", "Thermal", "ThermalSubsystem", "FanRedundancy")):
            for document in place.listed("Redundancy", older) or place.listed(key, newer):
                for entry in _told("redundancy", REDUNDANCY, [document], place.name):
                    rows.append(dict(entry, kind=kind, members=_members(document)))
    return rows


def _members(document: Json) -> Optional[int]:
    """Return how many parts stand in for each other."""
    for path in ("RedundancySet", "RedundancyGroup"):
        for value in values_at(document, path):
            if isinstance(value, list):
                return len(value)
    return None


def read_summary(reader: Reader) -> Json:
    """Return how the system and its parts are, on the whole."""
    system = reader.system
    _link, manager = reader.manager()
    chassis = [document for _unused, document in reader.chassis()]
    intrusion = [first(document, snake, "PhysicalSecurity/IntrusionSensor") for document in chassis]
    return summarise(
        system=first(system, *ROLLUP), bmc=first(manager, *ROLLUP),
        processors=first(system, health, "ProcessorSummary/Status/HealthRollup", "ProcessorSummary/Status/Health"),
        memory=first(system, health, "MemorySummary/Status/HealthRollup", "MemorySummary/Status/Health"),
        storage=worst(first(document, *ROLLUP) for _unused, document in storages(reader)),
        chassis=worst(first(document, *ROLLUP) for document in chassis),
        power_state=power_state(system), power_watts=_watts(reader),
        intrusion=next(filter(None, intrusion), None))


def _watts(reader: Reader) -> Optional[float]:
    """Return the power that the system takes; zero is what BMCs say that do not measure it."""
    for place in _enclosures(reader):
        for document in (lambda: place.below("Power"), lambda: place.below("EnvironmentMetrics")):
            found = first(document(), _above_zero, *WATTS)
            if found is not None:
                return found
    return None


def _above_zero(value: Any) -> Optional[float]:
    return number(value) if positive(value) else None


def read_log_summary(reader: Reader) -> Optional[Json]:
    """Return how many of the newest entries of the machine's event log are how bad."""
    logs = reader.driver.get(Logs)
    log = event_log(logs.services())
    if log is None:
        return None
    entries = logs.entries(log["id"], limit=NEWEST)
    return summarise_log(log["id"], entries, total=logs.count(log["id"]))


SECTIONS = {"summary": read_summary, "temperatures": read_temperatures, "fans": read_fans,
            "power_supplies": read_supplies, "redundancy": read_redundancy, "log_summary": read_log_summary}


class RedfishHealth(Health):
    """Health, section by section; each document is read once, whatever sections it serves."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def read(self, sections: tuple[str, ...]) -> tuple[Json, list[Json]]:
        """Return the sections asked for and the problems met."""
        return read_sections(Reader(self._driver), sections, SECTIONS)
