# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power of a system over IPMI: Get Chassis Status and Chassis Control (IPMI 2.0, sections 28.2 and 28.3)."""

from __future__ import annotations

from .._bmc.errors import BrokenAnswer, Unsupported
from .._bmc.interface import Driver, Power
from .._domain.power import PowerAction, PowerState
from .commands import CHASSIS_CONTROL, GET_CHASSIS_STATUS

CONTROLS = {PowerAction.OFF_HARD: 0, PowerAction.ON: 1, PowerAction.CYCLE: 2, PowerAction.RESTART_HARD: 3,
            PowerAction.OFF_SOFT: 5}


class IpmiPower(Power):
    """The chassis' power."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def supported_actions(self) -> frozenset[PowerAction]:
        """Return all that Chassis Control has. It knows no restart by the operating system."""
        return frozenset(CONTROLS)

    def state(self) -> PowerState:
        """Read the chassis status anew."""
        answer = self._driver.client.raw(GET_CHASSIS_STATUS)
        if not answer:
            raise BrokenAnswer("Get Chassis Status is empty")
        return PowerState.ON if answer[0] & 0x01 else PowerState.OFF

    def request(self, action: PowerAction) -> None:
        """Send Chassis Control, once: a second one would restart twice."""
        if action not in CONTROLS:
            raise Unsupported(f"IPMI has no {action.value}", protocol="ipmi", capability=self.title,
                              remedy="Use bmc_protocol: redfish, or force: true.")
        self._driver.client.raw(CHASSIS_CONTROL, bytes((CONTROLS[action],)))
