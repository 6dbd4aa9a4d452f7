# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot override of a system, without a protocol's words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any, Optional


class BootDevice(str, Enum):
    """Where a system may be told to boot from."""

    NONE = "none"
    PXE = "pxe"
    HTTP = "http"
    DISK = "disk"
    CD = "cd"
    USB = "usb"
    FLOPPY = "floppy"
    SD_CARD = "sd_card"
    REMOTE_DRIVE = "remote_drive"
    BIOS_SETUP = "bios_setup"
    UEFI_SHELL = "uefi_shell"
    UTILITIES = "utilities"
    DIAGNOSTICS = "diagnostics"
    UEFI_TARGET = "uefi_target"
    RECOVERY = "recovery"


class Persistence(str, Enum):
    """For how long an override holds."""

    ONCE = "once"
    CONTINUOUS = "continuous"
    DISABLED = "disabled"


class FirmwareMode(str, Enum):
    """How the firmware boots."""

    UEFI = "uefi"
    BIOS = "bios"


@dataclass(frozen=True)
class BootOverride:
    """An override as it was read, or as it is asked for. ``None`` means unknown, or left as it is."""

    device: Optional[BootDevice] = None
    persistence: Optional[Persistence] = None
    firmware_mode: Optional[FirmwareMode] = None
    http_uri: Optional[str] = None
    uefi_target: Optional[str] = None

    def as_dict(self) -> dict[str, Any]:
        """Return the plain form that results and diffs show."""
        return {key: value.value if isinstance(value, Enum) else value for key, value in asdict(self).items()}


def desired_override(wanted: BootOverride) -> BootOverride:
    """Return ``wanted`` with device and persistence made one: no device is no override, and the other way round."""
    if wanted.persistence is Persistence.DISABLED or wanted.device is BootDevice.NONE:
        return replace(wanted, device=BootDevice.NONE, persistence=Persistence.DISABLED, http_uri=None,
                       uefi_target=None)
    return wanted


def satisfied(current: BootOverride, wanted: BootOverride) -> bool:
    """Tell whether ``current`` already is what ``wanted`` asks for; what was not asked for does not count.

    A disabled override may keep its last target (some BMCs refuse to clear it): only persistence is compared then.
    """
    if wanted.persistence is Persistence.DISABLED:
        off = current.persistence is Persistence.DISABLED or current.device is BootDevice.NONE
        return off and wanted.firmware_mode in (None, current.firmware_mode)
    pairs = ((getattr(wanted, name), getattr(current, name)) for name in wanted.__dataclass_fields__)
    return all(want is None or want == have for want, have in pairs)


def expected_override(current: BootOverride, wanted: BootOverride) -> BootOverride:
    """Return what ``current`` becomes when ``wanted`` is applied: what a dry run shows."""
    asked = {key: value for key, value in vars(wanted).items() if value is not None}
    merged = replace(current, **asked)
    if merged.device is not BootDevice.HTTP:
        merged = replace(merged, http_uri=None)
    if merged.device is not BootDevice.UEFI_TARGET:
        merged = replace(merged, uefi_target=None)
    return merged
