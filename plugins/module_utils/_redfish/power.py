# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power of a system over Redfish: the ComputerSystem resource (DMTF DSP0268)."""

from __future__ import annotations

from typing import Optional

from .._bmc.errors import Unsupported
from .._bmc.interface import Driver, Power
from .._domain.power import PowerAction, PowerState
from .actions import Action, find_action
from .answers import NOT_TAKEN_IN_POWER_CHANGE
from .client import dig

try:
    from sushy import PowerState as Word
    from sushy import ResetType as Reset
except ImportError:
    STATES: dict[str, PowerState] = {}
    RESETS: dict[PowerAction, tuple[str, ...]] = {}
else:
    STATES = {Word.ON.value: PowerState.ON, Word.OFF.value: PowerState.OFF,
              Word.POWERING_ON.value: PowerState.POWERING_ON, Word.POWERING_OFF.value: PowerState.POWERING_OFF,
              "Paused": PowerState.PAUSED}
    # The first word that the BMC allows is sent.
    RESETS = {PowerAction.ON: (Reset.ON.value, Reset.FORCE_ON.value),
              PowerAction.OFF_SOFT: (Reset.GRACEFUL_SHUTDOWN.value,),
              PowerAction.OFF_HARD: (Reset.FORCE_OFF.value,),
              PowerAction.RESTART_SOFT: (Reset.GRACEFUL_RESTART.value,),
              PowerAction.RESTART_HARD: (Reset.FORCE_RESTART.value,),
              PowerAction.CYCLE: (Reset.POWER_CYCLE.value, "FullPowerCycle")}


class RedfishPower(Power):
    """``PowerState`` and the Reset action."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._action: Optional[Action] = None

    def _reset(self) -> Action:
        """Return the system's Reset action with the values it allows."""
        if self._action is None:
            self._action = find_action(self._driver.client, self._driver.system, "#ComputerSystem.Reset", "ResetType")
        if self._action is None:
            raise Unsupported(f"the system {self._driver.system_link} has no Reset action",
                              remedy="Where several systems are behind the BMC, choose another with bmc_system.",
                              protocol="redfish", capability=self.title)
        return self._action

    def _word(self, action: PowerAction) -> Optional[str]:
        """Return the ResetType to send for ``action``, ``None`` where the BMC allows none of them."""
        words, allowed = RESETS[action], self._reset().allowed
        return words[0] if not allowed else next((word for word in words if word in allowed), None)

    def supported_actions(self) -> frozenset[PowerAction]:
        """Return the actions for which the BMC allows a ResetType."""
        return frozenset(action for action in PowerAction if self._word(action))

    def state(self) -> PowerState:
        """Read PowerState anew."""
        state = self._driver.client.reread(self._driver.system_link).get("PowerState")
        return STATES.get(state, PowerState.UNKNOWN) if isinstance(state, str) else PowerState.UNKNOWN

    def reset_marker(self) -> Optional[str]:
        """Return the time of the last reset, or of the last step of the boot, as the system was last read."""
        system = self._driver.system
        marks = (system.get("LastResetTime"), dig(system, "BootProgress", "LastStateTime"))
        return next((mark for mark in marks if isinstance(mark, str) and mark), None)

    def request(self, action: PowerAction) -> None:
        """Send the Reset action. iDRAC refuses On just after Off for a while: that is sent again."""
        word = self._word(action)
        if word is None:
            allowed = ", ".join(sorted(self._reset().allowed))
            raise Unsupported(f"the BMC does not offer {action.value} (it allows {allowed})",
                              protocol="redfish", capability=self.title)
        self._driver.client.write("POST", self._reset().target, {"ResetType": word},
                                  not_taken=NOT_TAKEN_IN_POWER_CHANGE)
