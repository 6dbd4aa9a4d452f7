# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot override of a system over Redfish: the Boot object of ComputerSystem (DMTF DSP0268)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterator, Optional

from .._bmc.errors import BmcError, BrokenAnswer, Rejected, Unsupported
from .._bmc.interface import Boot, Driver
from .._domain.boot import BootDevice, BootOverride, FirmwareMode, Persistence
from .actions import allowable_values
from .boot_attribute import BootAttribute
from .boot_order import BootOrder
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
    # The first word that the BMC allows is sent; all of them are understood. Before the standard had words for all of
    # them (and some since) BMCs had their own.
    TARGETS = {
        BootDevice.NONE: (Source.NONE.value,), BootDevice.PXE: (Source.PXE.value,),
        BootDevice.HTTP: (Source.UEFI_HTTP.value,), BootDevice.DISK: (Source.HDD.value, "UefiHdd"),
        BootDevice.CD: (Source.CD.value, Source.USB_CD.value, "UefiUsbCd", "CD/DVD", "UefiCd"),
        BootDevice.USB: (Source.USB.value, "UsbKey", "UefiUsbKey"),
        BootDevice.FLOPPY: (Source.FLOPPY.value, "FloppyRemovableMedia", "UsbFloppy"),
        BootDevice.SD_CARD: (Source.SD_CARD.value,),
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
        self._attribute: Optional[BootAttribute] = None
        self._order = BootOrder(driver, DEVICES)
        self._looked = False

    def _boot(self) -> dict[str, Any]:
        boot = self._driver.system.get("Boot")
        return boot if isinstance(boot, dict) else {}

    def _by_attribute(self) -> Optional[BootAttribute]:
        """Return the attribute that chooses a virtual CD, on the BMCs that need it."""
        if not self._looked:
            self._attribute, self._looked = BootAttribute.of(self._driver), True
        return self._attribute

    def supported_devices(self) -> frozenset[BootDevice]:
        """Return the devices among the allowable targets; empty where the BMC does not tell."""
        boot, allowed = self._boot(), allowable_values(self._boot(), TARGET)
        if not allowed and TARGET not in boot and ENABLE not in boot:
            raise Unsupported(f"the system {self._driver.system_link} has no boot override", protocol="redfish",
                              capability=self.title, remedy="Set the boot order in the firmware.")
        return frozenset(DEVICES[word] for word in allowed if word in DEVICES)

    def read(self, wanted: Optional[BootOverride] = None) -> BootOverride:
        """Read the Boot object anew, and where the BMC keeps a part of it elsewhere, that."""
        self._driver.client.forget(self._driver.system_link)
        boot = self._boot()
        device = _known(DEVICES, boot.get(TARGET))
        found = BootOverride(  # BMCs keep an URI or a UEFI target of old beside a device that does not use it
            device=device, persistence=_known(PERSISTENCES, boot.get(ENABLE)),
            firmware_mode=_known(FIRMWARE_MODES, boot.get(MODE)),
            http_uri=_text(boot.get(HTTP_URI)) if device is BootDevice.HTTP else None,
            uefi_target=_text(boot.get(UEFI_TARGET)) if device is BootDevice.UEFI_TARGET else None)
        attribute = self._by_attribute()
        held = attribute.read() if attribute is not None else None
        if held is not None:
            return replace(found, device=BootDevice.CD, persistence=held)
        if (wanted is not None and found.persistence in (None, Persistence.DISABLED) and self._lasts_by_order(wanted)
                and self._order.begins_with(wanted.device)):
            return replace(found, device=wanted.device, persistence=Persistence.CONTINUOUS)
        return found

    def _lasts_by_order(self, wanted: BootOverride) -> bool:
        """Tell whether what is wanted is to last on a BMC whose override holds once at most."""
        allowed = allowable_values(self._boot(), ENABLE)
        return bool(wanted.persistence is Persistence.CONTINUOUS and wanted.device and allowed
                    and ENABLED[Persistence.CONTINUOUS] not in allowed)

    def write(self, wanted: BootOverride) -> None:
        """Ask for the override by the way that this BMC has for it."""
        if wanted.http_uri and HTTP_URI not in self._boot():
            raise Unsupported("the BMC takes no URI to boot from", protocol="redfish", capability=self.title,
                              remedy="Leave http_uri out and let the network's DHCP name it.")
        attribute = self._by_attribute() if wanted.device is not None else None
        if self._lasts_by_order(wanted):
            self._order.put_first(wanted.device)
        elif attribute is not None and wanted.device is BootDevice.CD:
            attribute.write(wanted.persistence or Persistence.ONCE)
            if not self._mode_is_right(wanted):
                self._write_boot(replace(wanted, device=None, persistence=None))
        else:
            if attribute is not None and attribute.read(anew=False) is not None:
                attribute.write(None)
            self._write_boot(wanted)

    def _write_boot(self, wanted: BootOverride) -> None:
        """Send the override in the fullest form that the BMC takes; a refused form is followed by a smaller one."""
        before = _known(FIRMWARE_MODES, self._boot().get(MODE))
        last: Optional[BmcError] = None
        for link in self._targets():
            tried: list[tuple[dict[str, Any], ...]] = []
            for payloads in self._forms(wanted):
                if payloads in tried:
                    continue
                tried.append(payloads)
                try:
                    for payload in payloads:
                        self._driver.client.write("PATCH", link, {"Boot": payload})
                    self._align_mode(wanted, before=before, link=link)
                    return
                except Rejected as error:
                    if error.details.get("status") not in FORM_REFUSED:
                        raise
                    last = last or error
        raise last or BrokenAnswer("no form of the override was there to send")

    def _align_mode(self, wanted: BootOverride, *, before: Optional[FirmwareMode], link: str) -> None:
        """Give the mode back where the BMC has reset it with the change of the target."""
        mode = wanted.firmware_mode or before
        if wanted.device in (None, BootDevice.NONE) or mode is None:
            return
        boot = self._boot()
        present = _known(FIRMWARE_MODES, boot.get(MODE))
        if _known(DEVICES, boot.get(TARGET)) is wanted.device and present not in (None, mode):
            self._driver.client.write("PATCH", link, {"Boot": {ENABLE: boot.get(ENABLE), MODE: MODES[mode]}})

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
        preferred = (self._driver.quirks.behaviour("boot_target_preferred") or {}).get(device.value)
        words = TARGETS[device] if preferred not in allowed else (preferred,)
        word = next((word for word in words if word in allowed), None) if allowed else words[0]
        if word is None:
            names = sorted({DEVICES[word].value for word in allowed if word in DEVICES})
            raise Unsupported(f"the BMC does not offer {device.value} as a boot device",
                              remedy=f"It offers {', '.join(names)}.", protocol="redfish", capability=self.title)
        return word

    def _forms(self, wanted: BootOverride) -> Iterator[tuple[dict[str, Any], ...]]:
        """Yield the forms in which to ask, each one or more changes: complete first, then without what BMCs refuse,
        last with what was not asked for and some BMCs want all the same."""
        present = {key: self._boot()[key] for key in (TARGET, ENABLE, MODE) if self._boot().get(key)}
        if wanted.persistence is Persistence.DISABLED:
            off = {ENABLE: ENABLED[Persistence.DISABLED], **self._mode(wanted)}
            yield (off,)
            yield ({**off, TARGET: "None"},)
            yield ({TARGET: "None"},)
            yield ({**present, **off, TARGET: "None"},)
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
        if mode and core:
            yield ({**mode}, {**core, **extra})
        if extra:
            yield ({**extra}, {**core, **mode})
        yield ({**present, **core, **mode, **extra},)

    def _mode(self, wanted: BootOverride) -> dict[str, str]:
        """Return the mode to send: the one asked for, or the present one where the BMC wants it every time."""
        if wanted.firmware_mode is not None:
            return {MODE: MODES[wanted.firmware_mode]}
        present = _known(FIRMWARE_MODES, self._boot().get(MODE))
        complete = self._driver.quirks.behaviour("boot_override_complete") is not None
        return {MODE: MODES[present]} if complete and present else {}

    def _mode_is_right(self, wanted: BootOverride) -> bool:
        """Tell whether the mode may be left out: not asked for, as it is already, or not told by the BMC."""
        present = _known(FIRMWARE_MODES, self._boot().get(MODE))
        return wanted.firmware_mode is None or present in (None, wanted.firmware_mode)


def _known(table: dict[str, Any], word: Any) -> Any:
    return table.get(word) if isinstance(word, str) else None


def _text(value: Any) -> Optional[str]:
    return value if isinstance(value, str) and value else None
