# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot order, for BMCs whose override holds once at most (DMTF DSP0268, ComputerSystem Boot and BootOption)."""

from __future__ import annotations

import re
from typing import Any, Optional

from .._bmc.errors import Unsupported
from .._bmc.interface import Driver
from .._domain.boot import BootDevice
from .client import dig, link_of

# What a boot option is, by its name or device path where it has no alias; the first that matches counts.
KINDS: tuple[tuple[BootDevice, str], ...] = (
    (BootDevice.UEFI_SHELL, r"shell"),
    (BootDevice.HTTP, r"\bhttps?\b|Uri\("),
    (BootDevice.PXE, r"pxe|\bnetwork\b|\bMAC\("),
    (BootDevice.CD, r"cd.?dvd|cd.?rom|\bdvd|\bcd\b"),
    (BootDevice.USB, r"usb"),
    (BootDevice.DISK, r"hard.?disk|\bHD[(_]|nvme|scsi|sata|\bdisk\b"),
)


class BootOrder:
    """``BootOrder`` of a system, its entries told apart by their boot options."""

    def __init__(self, driver: Driver, devices: dict[str, BootDevice]) -> None:
        self._driver = driver
        self._devices = devices

    def _kind(self, option: dict[str, Any]) -> Optional[BootDevice]:
        """Return the device of a boot option, by its alias, else by what its name and path say."""
        alias = option.get("Alias")
        if isinstance(alias, str) and self._devices.get(alias) not in (None, BootDevice.NONE):
            return self._devices[alias]
        for key in ("DisplayName", "UefiDevicePath"):
            for device, pattern in KINDS:
                if re.search(pattern, str(option.get(key) or ""), re.IGNORECASE):
                    return device
        return None

    def _holders(self) -> list[tuple[str, list[str]]]:
        """Return who has a boot order: the system, then its settings object, with their entries."""
        system, link = self._driver.system, self._driver.system_link
        settings = link_of(dig(system, "@Redfish.Settings", "SettingsObject"))
        found = []
        for path, document in ((link, system), (settings, self._driver.client.read(settings) if settings else None)):
            order = dig(document, "Boot", "BootOrder")
            if isinstance(order, list) and order and all(isinstance(entry, str) for entry in order):
                found.append((path, order))
        return found

    def _references(self, device: BootDevice) -> set[str]:
        """Return the names in the boot order that stand for a device."""
        options = self._driver.client.members(link_of(dig(self._driver.system, "Boot", "BootOptions")),
                                              on_error=lambda link, error: None)
        return {option["BootOptionReference"] for option in options
                if isinstance(option.get("BootOptionReference"), str) and self._kind(option) is device}

    def begins_with(self, device: BootDevice) -> bool:
        """Tell whether the order, as it is or as it will be after the next start, begins with a device."""
        holders = self._holders()
        return bool(holders) and holders[-1][1][0] in self._references(device)

    def put_first(self, device: BootDevice) -> None:
        """Put a device's entries before all others, which keep their order."""
        wanted, holders = self._references(device), self._holders()
        if not holders or not wanted & set(holders[-1][1]):
            raise Unsupported(f"the BMC's boot override holds once only, and its boot order has no {device.value}",
                              protocol="redfish", capability="boot device", remedy="Use persistence: once.")
        link, order = holders[-1]
        order = [entry for entry in order if entry in wanted] + [entry for entry in order if entry not in wanted]
        self._driver.client.write("PATCH", link, {"Boot": {"BootOrder": order}})
