# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot override of a system, declared and read back."""

from __future__ import annotations

from typing import Any

from .._bmc.errors import AnswerLost, InvalidInput, Rejected
from .._bmc.interface import Boot
from .._domain.boot import (
    BootDevice, BootOverride, FirmwareMode, Persistence, desired_override, expected_override, satisfied,
)
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .base import Resource

SETTLE = 3.0


class BootDeviceResource(Resource):
    """``bmc_boot_device``."""

    NAME = "boot_device"
    DOING = "set the boot device"
    CAPABILITY = Boot
    SPEC = {
        "device": dict(type="str", choices=[device.value for device in BootDevice]),
        "persistence": dict(type="str", choices=[value.value for value in Persistence]),
        "firmware_mode": dict(type="str", choices=[mode.value for mode in FirmwareMode]),
        "http_uri": dict(type="str"),
        "uefi_target": dict(type="str"),
        "wait_timeout": dict(type="int", default=15),
    }
    CONSTRAINTS = {"required_one_of": [["device", "persistence", "firmware_mode"]],
                   "required_if": [["device", "uefi_target", ["uefi_target"]]]}

    def validate(self) -> None:
        """Refuse options that contradict each other."""
        device, persistence = self.params.get("device"), self.params.get("persistence")
        if self.params.get("http_uri") and device != "http":
            raise InvalidInput("http_uri is set but device is not http", remedy="Set device: http.")
        if self.params.get("uefi_target") and device != "uefi_target":
            raise InvalidInput("uefi_target is set but device is not uefi_target", remedy="Set device: uefi_target.")
        if persistence in ("once", "continuous") and device in (None, "none"):
            raise InvalidInput(f"persistence is {persistence} but no device is named",
                               remedy="Name a device, or set persistence: disabled.")
        if persistence == "disabled" and device not in (None, "none"):
            raise InvalidInput(f"persistence is disabled but device is {device}", remedy="Leave device out.")

    def _wanted(self) -> BootOverride:
        """Return the override asked for; a device holds once unless said otherwise."""
        params = self.params
        persistence = params.get("persistence") or ("once" if params.get("device") not in (None, "none") else None)
        return desired_override(BootOverride(
            device=BootDevice(params["device"]) if params.get("device") else None,
            persistence=Persistence(persistence) if persistence else None,
            firmware_mode=FirmwareMode(params["firmware_mode"]) if params.get("firmware_mode") else None,
            http_uri=params.get("http_uri"), uefi_target=params.get("uefi_target")))

    def read(self) -> dict[str, Any]:
        """Return the override in plain form."""
        self._current = self.bmc.read(self._wanted())
        return self._current.as_dict()

    def plan(self, current: dict[str, Any]) -> Change:
        """Return the change, after the device was found among those that the BMC offers."""
        wanted = self._wanted()
        if satisfied(self._current, wanted):
            return Change(before=current, after=current)
        offered = self.bmc.supported_devices()
        if wanted.device not in (None, BootDevice.NONE) and offered and wanted.device not in offered:
            raise InvalidInput(f"the BMC does not offer {wanted.device.value} as a boot device",
                               remedy=f"It offers {', '.join(sorted(device.value for device in offered))}.")
        asked = {key: value for key, value in wanted.as_dict().items() if value is not None}
        return Change(before=current, after=expected_override(self._current, wanted).as_dict(), steps=(wanted,),
                      requested=asked)

    def apply(self, change: Change) -> Effect:
        """Write the override and read it back until it is there."""
        wanted: BootOverride = change.steps[0]
        try:
            self.bmc.write(wanted)
        except AnswerLost as error:
            self.tell(f"{error.cause}; reading the override back instead of asking again")
        seen = self._read_back(wanted)
        if satisfied(seen, wanted):
            return Effect(observed=seen.as_dict(), verified=True)
        if wanted.device is not None and seen.device is not wanted.device and wanted.device is not BootDevice.NONE:
            raise Rejected(f"the BMC took the change, but reads back {_words(seen)}", observed=seen.as_dict(),
                           remedy="A restart of the system may be pending; look at the BMC's log.")
        return Effect(observed=seen.as_dict(), verified=False, warnings=(
            f"The BMC was asked for {_words(wanted)} and reads back {_words(seen)}.",))

    def _read_back(self, wanted: BootOverride) -> BootOverride:
        """Read the override until it is as wanted, and return what was seen last. A BMC that shows the right device
        and something else beside it (another persistence) will hardly change its mind: it is given SETTLE seconds."""
        settling: list[Deadline] = []

        def enough(seen: BootOverride) -> bool:
            if seen.device is not wanted.device:
                settling.clear()
            elif not settling:
                settling.append(Deadline(SETTLE))
            return satisfied(seen, wanted) or any(deadline.passed for deadline in settling)

        return wait_until(lambda: self.bmc.read(wanted), enough, deadline=Deadline(self.params["wait_timeout"]))[1]


def _words(override: BootOverride) -> str:
    """Return an override in words, for messages."""
    known = {key: value for key, value in override.as_dict().items() if value is not None}
    return ", ".join(f"{key} {value}" for key, value in known.items()) or "nothing"
