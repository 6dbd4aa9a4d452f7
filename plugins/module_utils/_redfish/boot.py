# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot override of a system over Redfish: the Boot object of ComputerSystem (DMTF DSP0268)."""

from __future__ import annotations

from typing import Any, Iterator, Optional

from .._bmc.errors import BmcError, Rejected, Unsupported
from .._bmc.interface import Boot, Driver
from .._domain.boot import BootDevice, BootOverride, FirmwareMode, Persistence
from .actions import allowable_values
from .client import dig, link_of

try:
    from sushy import BootSource as Source
    from sushy import BootSourceOverrideEnabled as Enabled
    from sushy import BootSourceOverrideMode as Mode
except ImportError:
    TARGETS: dict[BootDevice, tuple[str, ...]] = {}
    ENABLED: dict[Persistence, str] = {}
    MODES: dict[FirmwareMode, str] = {}
else:
    # The first word that the BMC allows is sent; all of them are understood. Some call their virtual CD UsbCd.
    TARGETS = {
        BootDevice.NONE: (Source.NONE.value,), BootDevice.PXE: (Source.PXE.value,),
        BootDevice.HTTP: (Source.UEFI_HTTP.value,), BootDevice.DISK: (Source.HDD.value,),
        BootDevice.CD: (Source.CD.value, Source.USB_CD.value), BootDevice.USB: (Source.USB.value,),
        BootDevice.FLOPPY: (Source.FLOPPY.value,), BootDevice.SD_CARD: (Source.SD_CARD.value,),
        BootDevice.REMOTE_DRIVE: (Source.REMOTE_DRIVE.value,), BootDevice.BIOS_SETUP: (Source.BIOS_SETUP.value,),
        BootDevice.UEFI_SHELL: (Source.UEFI_SHELL.value,), BootDevice.UTILITIES: (Source.UTILITIES.value,),
        BootDevice.DIAGNOSTICS: (Source.DIAGS.value,), BootDevice.UEFI_TARGET: (Source.UEFI_TARGET.value,),
        BootDevice.RECOVERY: ("Recovery",)}
    ENABLED = {Persistence.ONCE: Enabled.ONCE.value, Persistence.CONTINUOUS: Enabled.CONTINUOUS.value,
               Persistence.DISABLED: Enabled.DISABLED.value}
    MODES = {FirmwareMode.UEFI: Mode.UEFI.value, FirmwareMode.BIOS: Mode.LEGACY.value}

DEVICES = {word: device for device, words in TARGETS.items() for word in words}
PERSISTENCES = {word: persistence for persistence, word in ENABLED.items()}
FIRMWARE_MODES = {word: mode for mode, word in MODES.items()}
TARGET, ENABLE, MODE, HTTP_URI, UEFI_TARGET = (
    "BootSourceOverrideTarget", "BootSourceOverrideEnabled", "BootSourceOverrideMode", "HttpBootUri",
    "UefiTargetBootSourceOverride")
# Refusals of a payload's form, after which a smaller one is tried.
FORM_REFUSED = (400, 405, 409, 415, 422)


class RedfishBoot(Boot):
    """The override in the Boot object, or in the settings object where the BMC keeps it there."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def _boot(self) -> dict[str, Any]:
        boot = self._driver.system.get("Boot")
        return boot if isinstance(boot, dict) else {}

    def supported_devices(self) -> frozenset[BootDevice]:
        """Return the devices among the allowable targets; empty where the BMC does not tell."""
        allowed = allowable_values(self._boot(), TARGET)
        return frozenset(DEVICES[word] for word in allowed if word in DEVICES)

    def read(self) -> BootOverride:
        """Read the Boot object anew."""
        self._driver.client.forget(self._driver.system_link)
        boot = self._boot()
        device = _known(DEVICES, boot.get(TARGET))
        return BootOverride(  # BMCs keep an URI or a UEFI target of old beside a device that does not use it
            device=device, persistence=_known(PERSISTENCES, boot.get(ENABLE)),
            firmware_mode=_known(FIRMWARE_MODES, boot.get(MODE)),
            http_uri=_text(boot.get(HTTP_URI)) if device is BootDevice.HTTP else None,
            uefi_target=_text(boot.get(UEFI_TARGET)) if device is BootDevice.UEFI_TARGET else None)

    def write(self, wanted: BootOverride) -> None:
        """Send the override in the fullest form that the BMC takes; a refused form is followed by a smaller one."""
        last: Optional[BmcError] = None
        for link in self._targets():
            for payloads in self._forms(wanted):
                try:
                    for payload in payloads:
                        self._driver.client.write("PATCH", link, {"Boot": payload})
                    return
                except Rejected as error:
                    if error.details.get("status") not in FORM_REFUSED:
                        raise
                    last = last or error
        raise last or Unsupported("the system has no boot override", protocol="redfish", capability=self.title)

    def _targets(self) -> list[str]:
        """Return where the override may be written: the system, or its settings object, in the order to try."""
        system, settings = self._driver.system_link, link_of(dig(self._driver.system, "@Redfish.Settings",
                                                                 "SettingsObject"))
        if self._driver.quirks.behaviour("boot_settings_object") is not None and settings:
            return [settings, system]
        return [system, settings] if settings else [system]

    def _word_for(self, device: BootDevice) -> str:
        """Return the target to send; :class:`Unsupported` with what the BMC allows where it is none of them."""
        allowed = allowable_values(self._boot(), TARGET)
        word = next((word for word in TARGETS[device] if word in allowed), None) if allowed else TARGETS[device][0]
        if word is None:
            names = sorted({DEVICES[word].value for word in allowed if word in DEVICES})
            raise Unsupported(f"the BMC does not offer {device.value} as a boot device",
                              remedy=f"It offers {', '.join(names)}.", protocol="redfish", capability=self.title)
        return word

    def _forms(self, wanted: BootOverride) -> Iterator[tuple[dict[str, Any], ...]]:
        """Yield the forms in which to ask, each one or more changes: complete first, then without what BMCs refuse."""
        if wanted.persistence is Persistence.DISABLED:
            yield ({ENABLE: ENABLED[Persistence.DISABLED]},)
            yield ({ENABLE: ENABLED[Persistence.DISABLED], TARGET: "None"},)
            yield ({TARGET: "None"},)
            return
        core = {} if wanted.device is None else {TARGET: self._word_for(wanted.device)}
        if wanted.persistence is not None:
            core[ENABLE] = ENABLED[wanted.persistence]
        extra = {key: value for key, value in ((HTTP_URI, wanted.http_uri), (UEFI_TARGET, wanted.uefi_target)) if value}
        mode = self._mode(wanted)
        if UEFI_TARGET in extra and self._driver.quirks.behaviour("boot_enabled_separately") is not None:
            yield ({**extra}, {**core, **mode})
        yield ({**core, **mode, **extra},)
        if mode and self._mode_is_right(wanted):
            yield ({**core, **extra},)
        if mode:
            yield ({**mode}, {**core, **extra})
        if extra:
            yield ({**extra}, {**core, **mode})

    def _mode(self, wanted: BootOverride) -> dict[str, str]:
        """Return the mode to send: the one asked for, or the present one where the BMC wants it every time."""
        if wanted.firmware_mode is not None:
            return {MODE: MODES[wanted.firmware_mode]}
        present = self._boot().get(MODE)
        complete = self._driver.quirks.behaviour("boot_override_complete") is not None
        return {MODE: present} if complete and present in FIRMWARE_MODES else {}

    def _mode_is_right(self, wanted: BootOverride) -> bool:
        """Tell whether the mode may be left out: not asked for, as it is already, or not told by the BMC."""
        present = _known(FIRMWARE_MODES, self._boot().get(MODE))
        return wanted.firmware_mode is None or present in (None, wanted.firmware_mode)


def _known(table: dict[str, Any], word: Any) -> Any:
    return table.get(word) if isinstance(word, str) else None


def _text(value: Any) -> Optional[str]:
    return value if isinstance(value, str) and value else None
