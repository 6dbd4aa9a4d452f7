# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory over IPMI, as far as FRUs, their locators and the BMC itself tell. The rest needs Redfish."""

from __future__ import annotations

import struct
from typing import Any, Optional
from uuid import UUID

from .._bmc.errors import BmcError
from .._bmc.interface import BmcNetwork, Boot, Driver, Hardware, Power
from .._domain.inventory import row
from .._domain.units import mib, text, uuid
from .commands import GET_SYSTEM_GUID
from .completion import completion_code
from .fru import first_of
from .sdr import FruLocator
from .sections import read_sections

try:
    from pyghmi.ipmi.private.spd import SPD
except ImportError:
    SPD = None

Json = dict[str, Any]
PROCESSOR, MEMORY_MODULE, MEMORY_DEVICE, DISK, DISK_BAY = 0x03, 0x08, 0x20, 0x04, 0x1A
# The modifier of a FRU that holds a DIMM's own data (table 43-12); its type is a kind of EEPROM.
SPD_MODIFIER, EEPROMS = 0x01, range(0x08, 0x10)
RATES = (800, 1066, 1333, 1600, 1866, 2133, 2400, 2666, 2933, 3200, 3600, 4000, 4400, 4800, 5200, 5600, 6000, 6400)
PART = (("manufacturer", "manufacturer"), ("model", "name"), ("part_number", "part_number"),
        ("serial_number", "serial_number"))


class IpmiHardware(Hardware):
    """The inventory, section by section; each FRU is read once."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def read(self, sections: tuple[str, ...]) -> tuple[Json, list[Json]]:
        """Return the sections asked for and the problems met."""
        return read_sections(sections, {
            "system": self._system, "bmc": self._bmc, "firmware": self._firmware, "memory": self._memory,
            "processors": lambda: self._parts("processors", PROCESSOR),
            "disks": lambda: self._parts("disks", DISK, DISK_BAY)})

    def _system(self) -> Json:
        """Return the system itself, by the server's own FRU."""
        driver = self._driver
        fru, override = driver.fru.main, driver.get(Boot).read().as_dict()
        return row(
            "system", id="system", name=driver.product(fru), model=driver.product(fru), uuid=self._uuid(),
            manufacturer=first_of(fru, ("product", "manufacturer"), ("board", "manufacturer")),
            part_number=first_of(fru, ("product", "part_number"), ("chassis", "part_number"), ("board", "part_number")),
            serial_number=first_of(fru, ("product", "serial_number"), ("chassis", "serial_number"),
                                   ("board", "serial_number")),
            asset_tag=first_of(fru, ("product", "asset_tag")), power_state=driver.get(Power).state().value,
            boot={**{key: override[key] for key in ("device", "persistence", "firmware_mode")}, "order": []})

    def _uuid(self) -> Optional[str]:
        """Return the system's UUID, whose first three fields BMCs send as SMBIOS holds them, least byte first."""
        answer = self._driver.client.optional(GET_SYSTEM_GUID)
        return uuid(str(UUID(bytes_le=bytes(answer[:16])))) if answer and len(answer) >= 16 else None

    def _bmc(self) -> Json:
        """Return the BMC itself, with the address of the channel that is spoken over."""
        device, network = self._driver.device, self._driver.get(BmcNetwork).read()
        return row("bmc", id="bmc", name=f"device {device['device_id']}", manufacturer=device["manufacturer"],
                   model=f"product {device['product_id']}", firmware_version=device["firmware"],
                   hostname=network["hostname"], mac_addresses=list(filter(None, (network["mac_address"],))),
                   ip_addresses=list(filter(None, (network["address"],))),
                   state="updating" if device["updating"] else "enabled")

    def _firmware(self) -> list[Json]:
        """Return the BMC's own firmware, the only one that IPMI tells."""
        device = self._driver.device
        return [row("firmware", id="bmc", name="BMC", version=device["firmware"], manufacturer=device["manufacturer"],
                    state="updating" if device["updating"] else "enabled")]

    def _located(self, *entities: int) -> list[FruLocator]:
        return [locator for locator in self._driver.sdr.frus if locator.entity[0] in entities]

    def _parts(self, section: str, *entities: int) -> list[Json]:
        """Return the parts of some entities whose FRU says something."""
        rows = []
        for locator in self._located(*entities):
            areas = self._areas(locator)
            if areas:
                rows.append(row(section, id=str(locator.number), name=locator.name or None, **_part(areas)))
        return rows

    def _areas(self, locator: FruLocator) -> Json:
        """Return the areas of a FRU, empty where it cannot be read."""
        return self._readable(lambda: self._driver.fru.areas(locator.number), {})

    @staticmethod
    def _readable(read: Any, default: Any) -> Any:
        try:
            return read()
        except BmcError as error:
            if completion_code(error) is None:
                raise
            return default

    def _memory(self) -> list[Json]:
        """Return the DIMMs, by the data that they hold themselves, or by an ordinary FRU."""
        rows = []
        for locator in self._located(MEMORY_MODULE, MEMORY_DEVICE):
            own = locator.kind[0] in EEPROMS and locator.kind[1] == SPD_MODIFIER
            known = self._spd(locator) if own else _part(self._areas(locator))
            if any(value is not None for value in known.values()):
                rows.append(row("memory", id=str(locator.number), slot=locator.name or None, **known))
        return rows

    def _spd(self, locator: FruLocator) -> Json:
        """Return what a DIMM tells of itself."""
        data = self._readable(lambda: self._driver.fru.data(locator.number), b"")
        try:
            found = SPD(bytearray(data)).info if data else {}
        except (IndexError, KeyError, ValueError, TypeError, ZeroDivisionError, struct.error):
            found = {}
        return {"manufacturer": text(found.get("manufacturer")), "model": _words(found.get("model")),
                "serial_number": text(str(found.get("serial") or "").upper()), "type": _words(found.get("memory_type")),
                "size_bytes": mib(found.get("capacity_mb")), "speed_mhz": _rate(found.get("speed")),
                "ecc": {True: "multi_bit_ecc", False: "no_ecc"}.get(found.get("ecc"))}


def _rate(bandwidth: Any) -> Optional[int]:
    """Return the speed of a DIMM by the bandwidth in its name, which is eight times that, rounded down to hundreds."""
    if not isinstance(bandwidth, (int, float)) or bandwidth <= 0:
        return None
    nearest = min(RATES, key=lambda rate: abs(rate - bandwidth / 8))
    return nearest if abs(nearest - bandwidth / 8) < 15 else int(bandwidth / 8)


def _words(value: Any) -> Optional[str]:
    return text(value.decode("ascii", "replace") if isinstance(value, (bytes, bytearray)) else value)


def _part(areas: Json) -> Json:
    """Return maker, model and numbers of a part by its FRU."""
    return {key: text(first_of(areas, ("product", name), ("board", name))) for key, name in PART}
