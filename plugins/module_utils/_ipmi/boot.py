# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot override of a system over IPMI: the boot flags, parameter 5 (IPMI 2.0, sections 28.12 and 28.13).

Device, persistence and firmware mode share one parameter: each write carries all three, so that none undoes another.
"""

from __future__ import annotations

from typing import Optional

from .._bmc.errors import BmcError, BrokenAnswer
from .._bmc.interface import Boot, Driver
from .._domain.boot import BootDevice, BootOverride, FirmwareMode, Persistence
from .._domain.deadline import Deadline
from .commands import GET_BOOT_OPTIONS, SET_BOOT_OPTIONS
from .completion import completion_code

SET_IN_PROGRESS, VALID_BIT_CLEARING, BOOT_FLAGS = 0, 3, 5
COMPLETE, IN_PROGRESS, SOMEONE_ELSE = 0, 1, 0x81
KEEP_AFTER_60_SECONDS = 0x08
VALID, PERSISTENT, UEFI = 0x80, 0x40, 0x20
# Boot device selectors, table 28-14, bits 5:2 of the second byte. Removable media are USB sticks now.
SELECTORS = {BootDevice.NONE: 0x0, BootDevice.PXE: 0x1, BootDevice.DISK: 0x2, BootDevice.DIAGNOSTICS: 0x4,
             BootDevice.CD: 0x5, BootDevice.BIOS_SETUP: 0x6, BootDevice.REMOTE_DRIVE: 0xB, BootDevice.USB: 0xF}
DEVICES = {**{selector: device for device, selector in SELECTORS.items()},
           0x3: BootDevice.DISK, 0x7: BootDevice.USB, 0x8: BootDevice.CD, 0x9: BootDevice.REMOTE_DRIVE}
SET_PATIENCE = 5.0


class IpmiBoot(Boot):
    """The boot flags, written raw and read back."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def supported_devices(self) -> frozenset[BootDevice]:
        """Return the devices that the boot flags can name; the BMC does not say which of them it takes."""
        return frozenset(SELECTORS)

    def _flags(self) -> bytes:
        """Return the five bytes of parameter 5."""
        answer = self._driver.client.raw(GET_BOOT_OPTIONS, bytes((BOOT_FLAGS, 0, 0)))
        if len(answer) < 4:
            raise BrokenAnswer(f"the boot flags have {len(answer)} bytes")
        # Bit 7 of the second byte says that the parameter is locked or invalid: then no flag counts.
        return bytes(5) if answer[1] & 0x80 else answer[2:7].ljust(5, b"\0")

    def read(self, wanted: Optional[BootOverride] = None) -> BootOverride:
        """Read the flags anew; without their valid bit there is no override, and the mode is not known."""
        flags = self._flags()
        if not self._valid(flags):
            return BootOverride(device=BootDevice.NONE, persistence=Persistence.DISABLED)
        mode = FirmwareMode.UEFI if flags[0] & UEFI else FirmwareMode.BIOS
        device = self._device(flags[1] >> 2 & 0x0F, mode)
        if device is BootDevice.NONE:
            return BootOverride(device=device, persistence=Persistence.DISABLED, firmware_mode=mode)
        return BootOverride(device=device, firmware_mode=mode, persistence=Persistence.CONTINUOUS
                            if flags[0] & PERSISTENT else Persistence.ONCE)

    def _valid(self, flags: bytes) -> bool:
        """Tell whether the flags count; some BMCs do not keep the bit that says so."""
        if flags[0] & VALID:
            return True
        return bool(flags[1] >> 2 & 0x0F) and self._driver.quirks.behaviour("ipmi_boot_valid_bit_lost") is not None

    def _uefi_disk(self) -> Optional[int]:
        """Return the selector of the disk in UEFI mode where this BMC has one of its own."""
        quirk = self._driver.quirks.behaviour("ipmi_uefi_disk_selector")
        return None if quirk is None else int(quirk.get("selector", 0x24)) >> 2 & 0x0F

    def _device(self, selector: int, mode: FirmwareMode) -> Optional[BootDevice]:
        """Return the device of a selector as it was read."""
        device = DEVICES.get(selector)
        if mode is FirmwareMode.UEFI and device is BootDevice.REMOTE_DRIVE and selector == self._uefi_disk():
            return BootDevice.DISK
        return device

    def write(self, wanted: BootOverride) -> None:
        """Write the flags whole, and keep them from expiring after 60 s where the BMC can."""
        before = self._flags()
        flags = bytes(5) if wanted.persistence is Persistence.DISABLED else self._wanted_flags(before, wanted)
        with _Setting(self._driver):
            if flags[0] & VALID:
                self._keep_flags()
            self._set(BOOT_FLAGS, flags)
        if wanted.persistence is Persistence.DISABLED and self._still_overridden():
            with _Setting(self._driver):  # some BMCs ignore flags that are not valid, and take "no override" instead
                self._set(BOOT_FLAGS, bytes((VALID | before[0] & UEFI, 0, 0, 0, 0)))

    def _still_overridden(self) -> bool:
        return self.read().device is not BootDevice.NONE

    def _wanted_flags(self, before: bytes, wanted: BootOverride) -> bytes:
        """Return the flags to write: what was asked for, else what they were."""
        first = VALID | before[0] & (PERSISTENT | UEFI)
        if wanted.persistence is not None:
            first = first & ~PERSISTENT | (PERSISTENT if wanted.persistence is Persistence.CONTINUOUS else 0)
        if wanted.firmware_mode is not None:
            first = first & ~UEFI | (UEFI if wanted.firmware_mode is FirmwareMode.UEFI else 0)
        selector = before[1] >> 2 & 0x0F if before[0] & VALID else 0
        if wanted.device is not None:
            selector = SELECTORS[wanted.device]
            if wanted.device is BootDevice.DISK and first & UEFI:
                selector = self._uefi_disk() or selector
        rest = before[2:5] if before[0] & VALID else bytes(3)
        return bytes((first, selector << 2)) + rest

    def _keep_flags(self) -> None:
        """Ask the BMC not to clear the flags after 60 s (parameter 3), which some do not have."""
        try:
            self._set(VALID_BIT_CLEARING, bytes((KEEP_AFTER_60_SECONDS,)))
        except BmcError as error:
            if completion_code(error) is None:
                raise

    def _set(self, parameter: int, data: bytes) -> None:
        self._driver.client.raw(SET_BOOT_OPTIONS, bytes((parameter,)) + data)


class _Setting:
    """Holds "set in progress" (parameter 0) around writes. It is optional: a BMC without it is written to as it is."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._held = False

    def _set(self, value: int) -> Optional[int]:
        """Write the parameter; return the completion code of a refusal, ``None`` where it was taken."""
        try:
            self._driver.client.raw(SET_BOOT_OPTIONS, bytes((SET_IN_PROGRESS, value)))
        except BmcError as error:
            if completion_code(error) is None:
                raise
            return completion_code(error)
        return None

    def __enter__(self) -> None:
        patience = Deadline(SET_PATIENCE)
        while True:
            code = self._set(IN_PROGRESS)
            if code != SOMEONE_ELSE:
                self._held = code is None
                return
            if patience.passed:
                break
            patience.sleep(0.5)
        self._driver.warn("Another client had begun to set the boot options and did not end; it was overridden.")
        self._set(COMPLETE)
        self._held = self._set(IN_PROGRESS) is None

    def __exit__(self, *unused: object) -> None:
        if self._held:
            self._set(COMPLETE)
